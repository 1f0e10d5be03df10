import numpy as np
import pytest

import nnrt

pytestmark = pytest.mark.usefixtures("calls")


def test_files_that_are_none(models, tmp_path):
    with pytest.raises(nnrt.FileError, match="nowhere") as caught:
        nnrt.load(tmp_path / "nowhere.nnrt")
    assert isinstance(caught.value, OSError) and caught.value.status_name == "NNRT_FILE_ACCESS"
    with pytest.raises(nnrt.FileError):
        nnrt.load(tmp_path)
    with pytest.raises(nnrt.FileError) as caught:
        nnrt.load(b"GIF89a" + bytes(200))
    assert caught.value.status_name == "NNRT_NOT_A_NNRT_FILE"
    with pytest.raises(nnrt.FileError):
        nnrt.load(b"")
    with pytest.raises(nnrt.ArgumentError):
        nnrt.load("a\0b")
    with pytest.raises(TypeError):
        nnrt.load(42)


def test_damaged_files(models):
    data = bytearray((models / "mlp.nnrt").read_bytes())
    with pytest.raises(nnrt.FileError):
        nnrt.load(data[:-1])
    data[len(data) // 2] ^= 1
    with pytest.raises(nnrt.FileError) as caught:
        nnrt.load(data)
    assert str(caught.value)


def test_memory_limit(models):
    with pytest.raises(nnrt.LimitError):
        nnrt.load(models / "wide.nnrt", memory_limit=100_000)
    with pytest.raises(nnrt.ArgumentError):
        nnrt.load(models / "wide.nnrt", memory_limit=0)
    for threads in (0, 257):
        with pytest.raises(nnrt.ArgumentError, match="threads"):
            nnrt.load(models / "wide.nnrt", threads=threads)
    session = nnrt.load(models / "wide.nnrt").session(memory_limit=10_000)
    with pytest.raises(nnrt.LimitError):
        session(np.zeros((100, 512), np.float32))
    assert session(np.zeros((1, 512), np.float32)).shape == (1, 512)


def test_shapes(models):
    model = nnrt.load(models / "mlp.nnrt")
    for shape in ((16,), (1, 17), (1, 16, 1), (), (1,) * 12):
        with pytest.raises(nnrt.ShapeError) as caught:
            model(np.zeros(shape, np.float32))
        assert isinstance(caught.value, ValueError)
    assert model(np.zeros((2, 16), np.float32)).shape == (2, 4)


def test_indices_out_of_range(models):
    model = nnrt.load(models / "lookup.nnrt")
    with pytest.raises(nnrt.IndexRangeError):
        model(np.zeros((3, 3), np.float32), np.array([3]))
    assert model(np.zeros((3, 3), np.float32), np.array([2]))[1].tolist() == [0]


def test_session_before_its_first_run(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    with pytest.raises(nnrt.StateError):
        session.output()
    with pytest.raises(nnrt.StateError, match="pixels"):
        session.run()
    with pytest.raises(nnrt.ArgumentError, match="no output named"):
        session.output("nothing")
    with pytest.raises(nnrt.ArgumentError):
        session.output(1)


def test_session_options(models):
    model = nnrt.load(models / "mlp.nnrt")
    for options in ({"threads": 0}, {"threads": 257}, {"instruction_set": "mmx"}, {"memory_limit": -1}):
        with pytest.raises(nnrt.ArgumentError):
            model.session(**options)


def test_closed_objects(models):
    x = np.zeros((1, 16), np.float32)
    with nnrt.load(models / "mlp.nnrt") as model:
        session = model.session()
        expected = model(x)
    with pytest.raises(nnrt.StateError, match="closed"):
        model(x)
    with pytest.raises(nnrt.StateError):
        model.session()
    assert model.labels and "closed" in repr(model)
    assert session(x).tobytes() == expected.tobytes()
    with session:
        pass
    for closed in (session.run, session.output, lambda: session(x), lambda: session.set_input(0, x)):
        with pytest.raises(nnrt.StateError, match="closed"):
            closed()
    session.close()
    model.close()


def test_every_error_is_an_nnrt_error():
    for name in nnrt.__all__:
        value = getattr(nnrt, name)
        if name.endswith("Error"):
            assert issubclass(value, nnrt.NnrtError)
