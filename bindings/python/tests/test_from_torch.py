import pickle
import sys

import numpy as np
import pytest

import nnrt


def test_without_pytorch_the_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(nnrt.ConversionError, match="pip install torch"):
        nnrt.from_torch(None, None)


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def network(torch):
    torch.manual_seed(1)
    layers = [torch.nn.Linear(6, 32), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(32, 3)]
    return torch.nn.Sequential(*layers)


def expected(torch, network, x):
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(x)).numpy()


def test_a_module_becomes_a_model(torch, network, tmp_path):
    network.train()
    model = nnrt.from_torch(network, torch.zeros(2, 6), tmp_path / "network.nnrt", self_tests=1)
    assert network.training and (tmp_path / "network.nnrt").exists()
    model.selftest()
    x = np.random.default_rng(1).standard_normal((2, 6)).astype(np.float32)
    np.testing.assert_allclose(model(x), expected(torch, network, x), atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"dynamic_axes": {"x": {0: "batch"}}, "input_names": ["x"]}, {"dynamic_shapes": ({0: "batch"},)}]
)
def test_free_dimensions(torch, network, options):
    if "dynamic_shapes" in options:
        pytest.importorskip("onnxscript")
    model = nnrt.from_torch(network, torch.zeros(2, 6), **options)
    assert model.inputs[0].shape == ("batch", 6)
    x = np.ones((5, 6), np.float32)
    np.testing.assert_allclose(model(x), expected(torch, network, x), atol=1e-6)


def test_several_inputs_and_names(torch):
    class Sum(torch.nn.Module):
        def forward(self, a, b):
            return a + b, a * b

    model = nnrt.from_torch(
        Sum(), (torch.ones(2), torch.ones(2)), input_names=["a", "b"], output_names=["sum", "product"]
    )
    assert [info.name for info in model.outputs] == ["sum", "product"]
    results = model(a=np.array([1, 2], np.float32), b=np.array([3, 4], np.float32))
    assert [result.tolist() for result in results] == [[4, 6], [3, 8]]


def test_what_pytorch_does_not_export_is_an_error(torch):
    class Odd(torch.nn.Module):
        def forward(self, x):
            return torch.linalg.eig(x)

    with pytest.raises(nnrt.ConversionError, match="PyTorch does not export"):
        nnrt.from_torch(Odd(), torch.eye(2), dynamic_axes={})


def test_two_ways_of_naming_free_dimensions_are_one_too_many(torch, network):
    with pytest.raises(nnrt.ArgumentError):
        nnrt.from_torch(network, torch.zeros(2, 6), dynamic_axes={}, dynamic_shapes={})


def test_every_module_stays_in_its_own_mode(torch):
    network = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5)).train()
    network[1].eval()
    nnrt.from_torch(network, torch.zeros(2, 4))
    assert [part.training for part in network.modules()] == [True, True, False, True]


def test_a_bad_argument_fails_before_the_export(torch, network, monkeypatch):
    monkeypatch.setattr(torch.onnx, "export", lambda *_, **__: pytest.fail("exported"))
    with pytest.raises(TypeError, match="nothing"):
        nnrt.from_torch(network, torch.zeros(2, 6), nothing=1)
    with pytest.raises(nnrt.ArgumentError, match="level is 99"):
        nnrt.from_torch(network, torch.zeros(2, 6), level=99)
    with pytest.raises(nnrt.ArgumentError, match="module is <function"):
        nnrt.from_torch(lambda x: x, torch.zeros(2, 6))
    monkeypatch.setenv("NNRT_NNPACK", "/nowhere")
    with pytest.raises(nnrt.ConversionError, match="NNRT_NNPACK"):
        nnrt.from_torch(network, torch.zeros(2, 6))


def test_a_model_without_a_path_says_what_it_was_made_of(torch, network, tmp_path):
    model = nnrt.from_torch(network, torch.zeros(2, 6))
    assert repr(model).startswith("<nnrt.Model of PyTorch's Sequential: ")
    with pytest.raises(nnrt.StateError, match="give a path"):
        pickle.dumps(model)
    path = tmp_path / "network.nnrt"
    assert str(path) in repr(nnrt.from_torch(network, torch.zeros(2, 6), path))


def test_the_report_of_a_check_is_logged(torch, network, caplog):
    pytest.importorskip("onnxruntime")
    with caplog.at_level("INFO", logger="nnrt"):
        nnrt.from_torch(network, torch.zeros(2, 6), check=True)
    assert "ONNX Runtime" in caplog.text
    with pytest.raises(nnrt.ConversionError):
        nnrt.from_torch(network, torch.zeros(2, 6), check=True, python="/bin/false")
