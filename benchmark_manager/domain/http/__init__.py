"""Rules of HTTP that several layers share."""
