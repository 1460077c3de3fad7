"""The form of a sweep, and files for one: a configuration, and a job with command line flags."""

from collections.abc import Mapping

from support.browser import Browser, WebForm, WebPage

ENGINE_PATH = "config/engine.yaml"
JOB_PATH = "job/run.yaml"
FILES = {
    ENGINE_PATH: b"engine:\n  max_num_seqs: 256  # per step\n  dtype: auto\n",
    JOB_PATH: b"""apiVersion: batch/v1
kind: Job
metadata:
  name: run
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: server
          image: vllm
          args: [--tensor-parallel-size=1, --seed, '7']
""",
}
#: A target of the job.
PARALLEL = "run:spec.template.spec.containers[name=server].args[--tensor-parallel-size]"


def form_of(page: WebPage) -> WebForm:
    """Return the form of a sweep."""
    [found] = [form for form in page.forms if "mode" in form.fields]
    return found


async def press(
    browser: Browser,
    page: WebPage,
    do: str,
    typed: Mapping[str, str] | None = None,
    *,
    status: int = 200,
) -> WebPage:
    """Type into the form, and press one of its buttons."""
    assert do in [tag.get("value") for tag in page.all("button") if tag.get("name") == "do"]
    form = form_of(page)
    form.fields.update(typed or {})
    return await browser.send(form, status, do=do)
