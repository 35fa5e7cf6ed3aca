"""What builders print: lines as docker 20.10, its classic builder, docker 28 and buildah 1.28 were seen to print them."""

from __future__ import annotations

from cogworks.build.stages.engine import PREFIX
from cogworks.build.stages.output import SHOWN_LINES, BuildOutput

BUILDKIT = """\
#1 [internal] load build definition from Dockerfile
#1 sha256:8690dd6a96c020faa6b42ce04510294310048a5276f98749ae77450ee338b591
#1 transferring dockerfile: 198B done
#1 DONE 0.0s

#4 [1/3] FROM localhost/exp-base:1
#4 CACHED

#5 [2/3] RUN echo one; echo two >&2
#5 0.314 two
#5 0.314 one
#5 DONE 0.5s

#6 [3/3] RUN --mount=type=secret,id=k cat x; exit 3
#6 0.391 half a line
#6 0.397
#6 ERROR: executor failed running [/bin/sh -c cat x; exit 3]: exit code: 3
------
 > [3/3] RUN --mount=type=secret,id=k cat x; exit 3:
------
executor failed running [/bin/sh -c cat x; exit 3]: exit code: 3
"""
CLASSIC = """\
Sending build context to Docker daemon  3.072kB
Step 1/3 : FROM localhost/exp-base:1
 ---> 253f8e9ab3c2
Step 2/3 : RUN echo one; echo two >&2
 ---> Running in 274f2e2fc544
one
\x1b[91mtwo
\x1b[0mRemoving intermediate container 274f2e2fc544
 ---> 9e64188fa680
Step 3/3 : RUN cat x; exit 3
 ---> Running in f0ff4cee3352
half a line
The command '/bin/sh -c cat x; exit 3' returned a non-zero code: 3
"""
BUILDAH = """\
STEP 1/3: FROM localhost/exp-base:1
STEP 2/3: RUN echo one; echo two >&2
two
one
STEP 3/3: RUN --mount=type=secret,id=k cat x; exit 3
half a line
subprocess exited with status 3
subprocess exited with status 3
Error: building at STEP "RUN --mount=type=secret,id=k cat x; exit 3": exit status 3
"""


def fed(text: str, offset: int = 2, count: int = 2) -> tuple[BuildOutput, list[str]]:
    output = BuildOutput(offset, count)
    printed = [output.feed(line) for line in text.splitlines()]
    return output, [line for line in printed if line]


def test_each_builder_tells_what_commands_print_and_which_one_failed() -> None:
    for text in (BUILDKIT, CLASSIC, BUILDAH):
        output, printed = fed(text)
        assert sorted(printed) == ["half a line", "one", "two"]
        assert (output.failed_step, output.code) == (1, 3)
        assert "".join(output.last_lines) == "half a line"


def test_copied_files_shift_the_steps() -> None:
    output, _ = fed(BUILDAH, offset=3, count=1)
    assert output.failed_step == 0


def test_a_last_line_without_line_feed_is_told() -> None:
    commit = f"COMMIT {PREFIX}1-done"
    _, printed = fed(f"STEP 1/2: FROM x\nSTEP 2/2: RUN y\nend{commit}\nmore\n", count=1)
    assert printed == ["end"]
    _, printed = fed("STEP 1/3: FROM x\nSTEP 2/3: RUN y\nendSTEP 3/3: RUN z\nok\n")
    assert printed == ["end", "ok"]
    output, printed = fed("#5 [2/3] RUN x\n#5 0.1 end#5 ERROR: process: exit code: 7\n")
    assert (printed, output.failed_step, output.code) == (["end"], 0, 7)


def test_commands_may_print_what_looks_like_a_builder() -> None:
    _, printed = fed("STEP 1/3: FROM x\nSTEP 2/3: RUN y\nSTEP 3/9: RUN no\nStep 2/3 : RUN no\n")
    assert printed == ["STEP 3/9: RUN no", "Step 2/3 : RUN no"]


def test_what_the_builder_says_after_the_commands_is_not_told() -> None:
    text = "STEP 1/2: FROM x\nSTEP 2/2: RUN y\nhello\nCOMMIT localhost/cogworks-stage-1\nCopying\n"
    _, printed = fed(text, count=1)
    assert printed == ["hello"]


def test_a_builder_that_fails_before_the_first_command_says_why() -> None:
    output, printed = fed("STEP 1/3: FROM nowhere\nError: no such image\n")
    assert (output.failed_step, printed) == (None, [])
    assert output.last_lines == ("Error: no such image",)


def test_only_the_end_of_a_long_output_is_kept() -> None:
    lines = "\n".join(f"line {number}" for number in range(100))
    output, _ = fed(f"STEP 1/3: FROM x\nSTEP 2/3: RUN y\n{lines}\n")
    assert len(output.last_lines) == SHOWN_LINES
    assert output.last_lines[-1] == "line 99"
