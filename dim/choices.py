"""What can be chosen by name, for the command line, which does not wait for Keras, and for the tables.

The table of each, from name to function or layer, is where those are defined, in the same order.
"""

METHODS = ("dim", "vae", "vicreg", "supervised", "metric")
ENCODERS = ("seed", "basic32", "alex64", "resnet18", "resnet18-thin", "mobilenetv2")
CRITICS = ("encode-and-dot", "concatenate-and-convolve", "bilinear")
OBJECTIVES = ("infonce", "jsd", "dv", "nwj")
SUMMARIES = ("map", "code")
TARGETS = ("uniform", "normal", "sphere")
PRIORS = ("kl", *TARGETS, "sigreg", "none")
BY_MARGIN = ("contrastive", "cosine", "triplet-hard", "triplet-semi-hard")
BY_TEMPERATURE = ("supcon", "n-pair")
LOSSES = (*BY_MARGIN, *BY_TEMPERATURE)
TOWERS = ("ids", "content", "both")
RECOMMENDATION_LOSSES = ("infonce", "bpr", "triplet")
GRADED = ("cosent", "regression")
TEXT_METHODS = ("dim", "supervised", "metric", "siamese")
