"""A toy benchmark: an engine that behaves by a cell's settings, and a load that measures it.

It is no inference engine. No model runs; the time of each step is slept, by a rule with made-up
constants. The rest is real: requests over HTTP, queues, batches, streamed tokens, and times by the
clock. So its numbers depend on the settings, and differ a little each time, as measured ones do.
They say nothing about vLLM or a GPU.

    python -m benchmark_manager.demo.measuring FOLDER/config/vllm/llama-3.1-8b.yaml --output FILE
"""
