"""All that is measured of features, in the order of the tables; a line for each section."""

from dim.evaluation.clusters import CLUSTERS
from dim.evaluation.dependence import ESTIMATES
from dim.evaluation.evaluator import Evaluator
from dim.evaluation.features import LENGTH
from dim.evaluation.few_labels import FEW_LABELS
from dim.evaluation.geometry import GAUGES
from dim.evaluation.knn import NEIGHBOURS
from dim.evaluation.mlp_probe import MLP_PROBE
from dim.evaluation.prior_fit import PRIOR_FIT
from dim.evaluation.probes import LINEAR_PROBE, SVM_PROBE
from dim.evaluation.reconstruction import RECONSTRUCTIONS
from dim.evaluation.retrieval_metrics import RETRIEVAL_METRICS

EVALUATORS: tuple[Evaluator, ...] = (
    *(LENGTH, NEIGHBOURS, LINEAR_PROBE, MLP_PROBE, SVM_PROBE, FEW_LABELS),
    *(RETRIEVAL_METRICS, CLUSTERS),
    *(GAUGES, PRIOR_FIT),
    *(ESTIMATES, RECONSTRUCTIONS),
)
