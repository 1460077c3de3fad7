"""JSON routes: each handler translates a request, calls one service and shapes its answer."""
