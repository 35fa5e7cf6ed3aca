"""The checks of `cog doctor` in the order of its report."""

from __future__ import annotations

from cogworks.cli.checkup.cache_checks import find_cache_problems, repair_cache
from cogworks.cli.checkup.check import Check
from cogworks.cli.checkup.config_checks import (
    find_broken_references,
    find_deprecated_fields,
    find_invalid,
    find_unreadable,
)
from cogworks.cli.checkup.engine_checks import find_engine_problems
from cogworks.cli.checkup.environment_checks import (
    find_gpu_problems,
    find_python_problems,
    find_uv_problems,
)
from cogworks.cli.checkup.migration import find_predict_names, migrate
from cogworks.cli.checkup.pydantic_models import find_arbitrary_types, use_cogs_model
from cogworks.cli.checkup.python_checks import (
    find_missing_annotations,
    find_removed_imports,
    remove_imports,
)
from cogworks.cli.checkup.shadow_checks import find_shadowing

CONFIG, PYTHON, ENVIRONMENT = "Config", "Python", "Environment"

CHECKS = (
    Check("config-parse", CONFIG, "Config file can be read", find_unreadable),
    Check("config-schema", CONFIG, "Config file is valid", find_invalid),
    Check(
        "predict-to-run-migration",
        CONFIG,
        "Deprecated predict interface names",
        find_predict_names,
        migrate,
    ),
    Check("config-deprecated-fields", CONFIG, "Deprecated fields", find_deprecated_fields),
    Check("config-predict-ref", CONFIG, "References lead somewhere", find_broken_references),
    Check(
        "python-pydantic-basemodel",
        PYTHON,
        "Outputs of pydantic with arbitrary types",
        find_arbitrary_types,
        use_cogs_model,
    ),
    Check(
        "python-deprecated-imports", PYTHON, "Removed imports", find_removed_imports, remove_imports
    ),
    Check(
        "python-missing-type-annotations",
        PYTHON,
        "Missing return types",
        find_missing_annotations,
    ),
    Check("env-docker", ENVIRONMENT, "Container engines", find_engine_problems),
    Check("env-python-version", ENVIRONMENT, "Python of the model", find_python_problems),
    Check("env-gpu-compat", ENVIRONMENT, "GPU and its libraries", find_gpu_problems),
    Check("env-uv", ENVIRONMENT, "uv, for environments", find_uv_problems),
    Check("env-shadowed-cog", ENVIRONMENT, "Other programs and packages named cog", find_shadowing),
    Check("env-cache", ENVIRONMENT, "Cache", find_cache_problems, repair_cache),
)
