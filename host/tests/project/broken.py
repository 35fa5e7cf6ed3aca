"""Files that are no configuration: the text, and the one problem that is said of it, from its line on."""

from __future__ import annotations


def build(line: str) -> str:
    return f'build:\n  python_version: "3.12"\n  {line}\n'


BROKEN: list[tuple[str, str]] = [
    # Kinds.
    ("- a\n", "1: the file must be a mapping of keys to values, found a list"),
    ("hello\n", '1: the file must be a mapping of keys to values, found the text "hello"'),
    ("build: 3\n", "1: build: expected a mapping, found the number 3"),
    ("build: []\n", "1: build: expected a mapping, found a list"),
    (
        build("gpu: maybe"),
        '3: build.gpu: expected true or false, found the text "maybe"',
    ),
    (build("gpu: 'true'"), '3: build.gpu: expected true or false, found the text "true"'),
    (
        build("system_packages: ffmpeg"),
        '3: build.system_packages: expected a list, found the text "ffmpeg"',
    ),
    (
        build("system_packages: [{a: 1}]"),
        "3: build.system_packages[0]: expected text, found a mapping",
    ),
    (
        build("system_packages: [1]"),
        '3: build.system_packages[0]: expected text, found the number 1; write it in quotes: "1"',
    ),
    (
        build("system_packages: [~]"),
        "3: build.system_packages[0]: expected text, found nothing",
    ),
    (build("run: [[a]]"), "3: build.run[0]: expected text or a mapping, found a list"),
    ("image: true\n", '1: image: expected text, found true; write it in quotes: "true"'),
    (
        "concurrency: {max: 2.5}\n",
        "1: concurrency.max: expected a whole number, found the number 2.5",
    ),
    (
        "concurrency: {max: '2'}\n",
        '1: concurrency.max: expected a whole number, found the text "2"',
    ),
    # Unknown keys.
    ("bild: {}\n", "1: bild: unknown key; did you mean build?"),
    ("gpu: true\n", "1: gpu: unknown key; it belongs at build.gpu"),
    (
        "zzz: 1\n",
        "1: zzz: unknown key; cog.yaml takes build, image, model, run, predict, train, concurrency, workers, environment, weights",
    ),
    (
        "concurrency: {zzz: 1}\n",
        "1: concurrency.zzz: unknown key; concurrency takes max, default_target",
    ),
    (
        build("run: [{comand: x, command: y}]"),
        "3: build.run[0].comand: unknown key; did you mean command?",
    ),
    # build.
    (
        "build:\n  gpu: true\n",
        "1: build.python_version: python_version is required: The Python that runs the model, such as 3.11.",
    ),
    (
        "build:\n  python_version: 3\n",
        "2: build.python_version: \"3\": must include major and minor version (e.g., '3.11')",
    ),
    (
        "build:\n  python_version: 3.x\n",
        "2: build.python_version: \"3.x\": must be a Python version such as '3.11' or '3.11.4'",
    ),
    (
        "build:\n  python_version: 2.7\n",
        '2: build.python_version: "2.7": minimum supported Python version is 3.9',
    ),
    (
        "build:\n  python_version: 3.8.18\n",
        '2: build.python_version: "3.8.18": minimum supported Python version is 3.9',
    ),
    (
        build("python_requirements: no.txt"),
        '3: build.python_requirements: "no.txt": file does not exist',
    ),
    (
        build("cuda: 12"),
        "3: build.cuda: \"12\": must include major and minor version (e.g., '12.4')",
    ),
    (build("cuda: '10.2'"), '3: build.cuda: "10.2": minimum supported CUDA version is 11'),
    (build("cuda: new"), "3: build.cuda: \"new\": must be a CUDA version such as '12.4'"),
    (
        build("cuda: 12.1\n  cudnn: 9"),
        "4: build.cudnn: cuDNN 9 is not compatible with CUDA 12.1; compatible CuDNN versions are: 8",
    ),
    (
        build("sdk_version: 0.15.0"),
        '3: build.sdk_version: "0.15.0": minimum supported SDK version is 0.16.0',
    ),
    (
        build("sdk_version: new"),
        "3: build.sdk_version: \"new\": must be a version such as '0.16.0', or 'prerelease'",
    ),
    (
        build('run: ["a\\nb"]'),
        '3: build.run[0]: "a b": a command must be a single line; join commands with && or put them into a script',
    ),
    (
        build("run: [{mounts: []}]"),
        "3: build.run[0].command: command is required: The command.",
    ),
    (
        build("run: [{command: a, mounts: [{type: cache, id: b, target: c}]}]"),
        '3: build.run[0].mounts[0].type: "cache": must be secret',
    ),
    (
        build("run: [{command: a, mounts: [{type: secret, id: b}]}]"),
        "3: build.run[0].mounts[0].target: target is required: Where the command finds it.",
    ),
    (
        build("cudnn: new"),
        "3: build.cudnn: \"new\": must be a cuDNN version such as '9'",
    ),
    (build("system_packages: [' ']"), '3: build.system_packages[0]: "": must not be empty'),
    (build("run: ['']"), '3: build.run[0]: "": must not be empty'),
    (build("run: [{command: ''}]"), '3: build.run[0].command: "": must not be empty'),
    (
        build("run: [{command: a, mounts: [{type: secret, id: '', target: t}]}]"),
        '3: build.run[0].mounts[0].id: "": must not be empty',
    ),
    (
        build("run: [{command: a, mounts: [{type: secret, id: i, target: ' '}]}]"),
        '3: build.run[0].mounts[0].target: "": must not be empty',
    ),
    # Keys that the original format does not have.
    (
        build("base_image: Python"),
        "3: build.base_image: \"Python\": must be an image such as 'python:3.12-slim' or 'registry.example/base@sha256:...'",
    ),
    (
        build("user: a b"),
        "3: build.user: \"a b\": must be a user such as '1000', '1000:1000' or 'root'",
    ),
    (build("user: []"), "3: build.user: expected text or a whole number, found a list"),
    (
        build("user: 2147483648"),
        '3: build.user: "2147483648": an id is at most 2147483647',
    ),
    (build("weights: ['a[']"), '3: build.weights[0]: "a[": a bracket is not closed'),
    (build("weights: ['! ']"), '3: build.weights[0]: "!": "!" needs a pattern behind it'),
    (build("weights: ['']"), '3: build.weights[0]: "": a pattern must not be empty'),
    (build("lock: maybe"), '3: build.lock: expected true or false, found the text "maybe"'),
    # References.
    ("run: 'run.py:'\n", "1: run: \"run.py:\": must be in the form 'run.py:Runner'"),
    ("run: a.py:b.py:c\n", "1: run: \"a.py:b.py:c\": must be in the form 'run.py:Runner'"),
    (
        "predict: Predictor\n",
        "1: predict: \"Predictor\": must be in the form 'predict.py:Predictor'",
    ),
    ("train: train:f\n", "1: train: \"train:f\": must be in the form 'train.py:Trainer'"),
    ("run: a.py:B\npredict: c.py:D\n", "2: predict: only one of run or predict can be set"),
    # concurrency.
    ("concurrency: {max: 0}\n", '1: concurrency.max: "0": must be at least 1'),
    (
        "build: {python_version: '3.10'}\nconcurrency:\n  max: 2\n",
        "3: concurrency.max: concurrency above 1 needs Python 3.11 or newer",
    ),
    # environment.
    (
        "environment: [NAME]\n",
        "1: environment[0]: environment variable NAME is not in the KEY=VALUE format",
    ),
    (
        "environment: [1A=x]\n",
        "1: environment[0]: environment variable 1A is not in the KEY=VALUE format",
    ),
    (
        "environment:\n  - A=1\n  - A=2\n",
        "3: environment[1]: environment variable A is already defined in line 2",
    ),
    # model and weights.
    (
        "model: a/b:tag\n",
        '1: model: "a/b:tag": must be a bare repository — tags and digests are not allowed',
    ),
    (
        "model: a/b@sha256:0\n",
        '1: model: "a/b@sha256:0": must be a bare repository — tags and digests are not allowed',
    ),
    (
        "weights: [{name: a, target: /a, source: {uri: b}}]\n",
        "1: weights: weights require 'model' to be set",
    ),
    ("image: ''\n", '1: image: "": must not be empty'),
    ("model: ' '\n", '1: model: "": must not be empty'),
    (
        "weights: [{name: a, target: /a, source: {uri: b}}]\nimage: c\n",
        "1: weights: weights require 'model' to be set; rename 'image' to 'model'",
    ),
    (
        "model: m\nweights: [{target: /a, source: {uri: b}}]\n",
        "2: weights[0].name: name is required: The name of the set.",
    ),
    (
        "model: m\nweights: [{name: A, target: /a, source: {uri: b}}]\n",
        "2: weights[0].name: \"A\": must be lower-case letters and digits, separated by single '.', '_' or '-'",
    ),
    (
        "model: m\nweights: [{name: a, target: a, source: {uri: b}}]\n",
        '2: weights[0].target: "a": must be an absolute path',
    ),
    (
        "model: m\nweights: [{name: a, target: /, source: {uri: b}}]\n",
        '2: weights[0].target: "/": must not be "/"',
    ),
    (
        "model: m\nweights: [{name: a, target: /x/.., source: {uri: b}}]\n",
        '2: weights[0].target: must not be "/"',
    ),
    (
        "model: m\nweights: [{name: a, target: /a}]\n",
        "2: weights[0].source: source is required: Where it comes from: one mapping or a list of them.",
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: []}]\n",
        "2: weights[0].source: must not be empty",
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: [{}]}]\n",
        "2: weights[0].source[0].uri: uri is required: A folder or a URL.",
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: {uri: b, include: ['']}}]\n",
        '2: weights[0].source[0].include[0]: "": a pattern must not be empty',
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: {uri: ' '}}]\n",
        '2: weights[0].source[0].uri: "": must not be empty',
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: {uri: b, exclude: ['!a']}}]\n",
        '2: weights[0].source[0].exclude[0]: "!a": a pattern must not start with "!"',
    ),
    (
        "model: m\nweights: [{name: a, target: /a, source: {uri: b, exclude: ['a\\b']}}]\n",
        '2: weights[0].source[0].exclude[0]: "a\\b": a pattern must not contain a backslash; separate folders with /',
    ),
    # The document.
    ("run: a.py:B\nrun: a.py:C\n", "2: run: this key is given twice; the first is in line 1"),
    ("build:\n\tgpu: true\n", "2: the line is indented with a tab; use spaces"),
]
