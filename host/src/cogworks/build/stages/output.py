"""What builders print, read: which line is of which step, and which step failed; pure.

BuildKit                    #6 [3/4] RUN make      #6 0.512 cc -c x.c      #6 ERROR: ... exit code: 2
docker's classic builder    Step 3/4 : RUN make    cc -c x.c               ... returned a non-zero code: 2
buildah, podman             STEP 3/4: RUN make     cc -c x.c               ... exit status 2
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from dataclasses import dataclass, field

from cogworks.build.stages.engine import PREFIX

SHOWN_LINES = 20
"""Of a command that failed: the end of its output."""

_VERTEX = re.compile(r"#(\d+) \[(?:[^\]]* )?(\d+)/(\d+)\] (.*)")
_PRINTED = re.compile(r"#(\d+) \d+\.\d+ ?(.*)")
_ENDED = re.compile(r"(.*?)#(\d+) (DONE|ERROR|CANCELED|CACHED)\b.*")
_STEP = re.compile(r"(.*?)(?:STEP|Step) (\d+)/(\d+) ?: [A-Z]+ ")
"""What a command printed last, without a line feed, stands in front."""
_COMMIT = re.compile(rf"(.*?)COMMIT {PREFIX}")
_CODE = re.compile(r"(?:exit code:|exit status|non-zero code:) (\d+)")
_NOISE = re.compile(
    r"#\d+ |#\d+$|\[Warning\] one or more build args were not consumed|-{3,}$|>>>| > \[| ---> |--> |Removing intermediate container |"
    r"Sending build context |subprocess exited with status |[Ee]rror:? building at STEP |"
    r"executor failed running |The command '.*' returned a non-zero code: \d+$|ERROR: failed to solve: process "
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class BuildOutput:
    """Fed with the lines of a builder.

    Attributes:
        offset: the number of the first step that is a command.
        count: how many commands there are; they are the last steps.
        code: the exit code of a command that failed, as far as it is known.
    """

    offset: int
    count: int
    code: int | None = None
    _current: int = 0
    _failed: int | None = None
    _numbers: dict[str, int] = field(default_factory=dict[str, int])
    _lines: dict[int, deque[str]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=SHOWN_LINES))
    )
    _rest: deque[str] = field(default_factory=lambda: deque(maxlen=SHOWN_LINES))

    def feed(self, line: str) -> str | None:
        """Take a line; return what a command printed, None for what the builder says itself."""
        line = _COLOURS.sub("", line)
        code = _CODE.search(line)
        if code is not None:
            self.code = int(code[1])
        if (match := _VERTEX.match(line)) is not None:
            self._numbers[match[1]] = int(match[2])
            return None
        if (match := _STEP.match(line)) is not None and self._is_next(int(match[2]), int(match[3])):
            before, self._current = self._current, int(match[2])
            return self._printed(before, match[1]) if match[1] else None
        text = line
        if (match := _ENDED.fullmatch(line)) is not None and match[2] in self._numbers:
            text = match[1]
            if match[3] == "ERROR":
                self._failed = self._numbers[match[2]]
        if (match := _PRINTED.fullmatch(text)) is not None:
            return self._printed(self._numbers.get(match[1], 0), match[2])
        if (match := _COMMIT.match(line)) is not None:
            before, self._current = self._current, 0
            return self._printed(before, match[1]) if match[1] else None
        if not text.strip() or _NOISE.match(line):
            return None
        self._rest.append(line)
        return self._printed(self._current, line)

    def _is_next(self, number: int, total: int) -> bool:
        """Tell whether a step begins; a command may print what looks like one."""
        return number == self._current + 1 and total == self.offset - 1 + self.count

    def _printed(self, number: int, text: str) -> str | None:
        self._lines[number].append(text)
        return text if number >= self.offset else None

    @property
    def failed_step(self) -> int | None:
        """The index of the command that failed; None if it was none of them."""
        number = self._failed if self._failed is not None else self._current
        return number - self.offset if number >= self.offset else None

    @property
    def last_lines(self) -> tuple[str, ...]:
        """The end of what the failed command printed; of what the builder said, if it was none."""
        number = self._failed if self._failed is not None else self._current
        found = self._lines.get(number) if number >= self.offset else None
        return tuple(found or self._rest)
