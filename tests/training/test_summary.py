"""The accuracies at the end of training."""

from dim import data
from dim.configuration import Configuration
from dim.evaluation import knn
from dim.methods.build import build_model
from dim.training import summary
from dim.training.run import Run


def test_of_many_validation_images_pixels_are_compared_with_a_sample_and_say_so(
    photographs, monkeypatch, capsys
):
    configuration = Configuration(image_size=16, code_size=8, critic_units=8)
    run, model, dataset = Run("first"), build_model(configuration), data.load(str(photographs), 16)
    run.claim(configuration, dataset)
    asked = {}

    def accuracies(train, val, images, k):
        asked[train.shape[1]] = len(val), len(images.val)
        return {"cosine": 0.5, "l2": 0.5}

    monkeypatch.setattr(knn, "knn_accuracies", accuracies)
    summary.summarise(run, model, dataset, configuration)
    out, err = capsys.readouterr()
    assert asked == {768: (10, 10), 8: (10, 10)} and "sample" not in out
    assert "neighbours by raw pixels: " in err  # they can take minutes
    monkeypatch.setattr(summary, "_PIXEL_QUERIES", 4)
    summary.summarise(run, model, dataset, configuration)
    assert asked == {768: (4, 4), 8: (10, 10)}
    assert "(raw pixels: a sample of 4 validation images)" in capsys.readouterr().out
