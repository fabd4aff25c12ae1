"""Hypothesis for all tests of measures: the same examples in every run, whatever failed before."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "measures",
    max_examples=100,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the empty folder, which no measure touches
)
settings.load_profile("measures")
