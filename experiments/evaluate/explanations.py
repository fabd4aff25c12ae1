"""What stands below each table: the protocol behind its numbers."""

UNTRAINED = """
- untrained encoder: initial weights of the same seed; means and variances of its batch normalisation are
  those of 40 batches of training images, without random views. Uncalibrated: they are 0 and 1.
""".strip()

NEIGHBOURS = """
- 5-NN: Euclidean, one vote each, features as they are (Ermolov et al. 2021, arXiv 2007.06346).
- 20-NN and 200-NN: cosine, votes weighted by exp(s/0.07) (Wu et al. 2018, arXiv 1805.01978).
""".strip()

PROBES = """
- linear: logistic regression with an L2 penalty. MLP: one layer of 200 units, batch normalisation and
  dropout 0.1 (Hjelm et al. 2019, section 4.1). Both on standardised features.
- Settings of the probes are chosen within the training images: the penalty of the linear one by 5-fold
  cross-validation, the weakest within one standard error of the best; for the MLP, and where images times
  values times classes are more than 5e8, on a tenth of the images. Then the probes are fitted to all of
  them, and validation images are looked at once.
- Fewer labels: mean ± standard deviation of three draws of the linear probe, its settings chosen by
  cross-validation within the labels drawn.
""".strip()

RETRIEVAL = """
- Means over all queries (Musgrave et al. 2020, arXiv 2003.08505). With R other images of a query's class,
  R-precision is the share of its class among the R nearest; MAP@R is the sum of the precisions at the hits
  among them, divided by R.
- AMI: adjusted mutual information of classes and k-means clusters, as many clusters as classes.
""".strip()

GEOMETRY = """
- direction spread: √D times the standard deviation of L2-normalised codes; 1 if they spread evenly, 0 if
  they have collapsed. RankMe: effective number of dimensions, of the training codes (Garrido et al. 2023).
- alignment: mean squared distance of two random views of an image; uniformity: ln mean exp(-2 d²) over pairs
  of images. Both of L2-normalised codes; less is better, but only in both together (Wang and Isola 2020).
""".strip()

PRIOR = """
- misfit: Kolmogorov-Smirnov distance of the codes to the prior, mean over dimensions, beside what as many
  draws from the prior itself have; correlation: mean absolute one between two dimensions.
""".strip()

DEPENDENCE = """
- MINE: between the code and principal components of the pixels, which can only lower it. NDM: total
  correlation of the code's dimensions. Both are read by a critic from N samples it was not trained on.
- **No estimate from N samples that exceeds ln N bounds anything, and one below may be far too low**
  (McAllester and Stratos 2020, arXiv 1811.04251), so one beyond is not printed. The rows of Gaussians show
  it: as many samples of the same length, whose information is known, as the same critic reads them.
- A code can hold much information and be useless (Tschannen et al. 2020, arXiv 1907.13625). None of these
  numbers ranks encoders.
- MS-SSIM: of validation images and what a decoder draws from their codes after 150 steps of training.
""".strip()
