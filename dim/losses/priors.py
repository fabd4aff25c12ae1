"""What the distribution of codes is drawn towards."""

from keras import ops


def kl_to_standard_normal(mean, log_variance):
    """KL(N(mean, exp(log_variance)) ‖ N(0, 1)) of each dimension of each code, in closed form.

        ½ (mean² + exp(log_variance) - 1 - log_variance)

    Takes both as [B, D]; returns [B, D] float32 in nats, never negative. Summed over D it is KL(q(z|x) ‖
    N(0, I)); averaged over D it is the prior term of the loss, as in the model of Su Jianlin.
    """
    mean, log_variance = ops.cast(mean, "float32"), ops.cast(log_variance, "float32")
    return 0.5 * (ops.square(mean) + ops.expm1(log_variance) - log_variance)
