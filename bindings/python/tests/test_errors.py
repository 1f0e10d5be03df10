import errno
import os
import pickle

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
    for source in (42, None, ["a"], "\ud800"):
        with pytest.raises(nnrt.ArgumentError, match="source is"):
            nnrt.load(source)
    with pytest.raises(nnrt.ArgumentError, match="source"):
        nnrt.load(memoryview(bytes(8))[::2])


def test_files_that_cannot_be_opened_are_python_s_own_errors_too(models, tmp_path, monkeypatch):
    missing = tmp_path / "missing.nnrt"
    for path, kind, number in ((missing, FileNotFoundError, errno.ENOENT), (tmp_path, IsADirectoryError, errno.EISDIR)):
        with pytest.raises(kind) as caught:
            nnrt.load(path)
        error = caught.value
        assert isinstance(error, nnrt.FileError) and error.status_name == "NNRT_FILE_ACCESS"
        assert (error.errno, error.strerror, error.filename) == (number, os.strerror(number), str(path))
        assert isinstance(pickle.loads(pickle.dumps(error)), kind)

    # As root, nothing is forbidden.
    def forbidden(*_):
        raise PermissionError(errno.EACCES, "")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(PermissionError) as caught:
        nnrt.load(missing)
    assert isinstance(caught.value, nnrt.FileError) and caught.value.errno == errno.EACCES


def test_files_with_other_faults_have_their_name(tmp_path):
    path = tmp_path / "picture.nnrt"
    path.write_bytes(b"GIF89a")
    with pytest.raises(nnrt.FileError) as caught:
        nnrt.load(path)
    assert type(caught.value) is nnrt.FileError and caught.value.filename == str(path)
    assert caught.value.status_name == "NNRT_NOT_A_NNRT_FILE" and caught.value.errno is None


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
    with pytest.raises(nnrt.IndexRangeError, match=r"index 3, element 0 of .* is not in -3 \.\.< 3"):
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


@pytest.mark.parametrize(
    "name, values",
    [
        ("threads", [0, 257, 2.5, 1.0, "4", None, [1]]),
        ("instruction_set", ["mmx", [], 1, {}]),
        ("memory_limit", [-1, 0, 2.5, 1e9, "4"]),
        ("iteration_limit", [-1, 0, 2.5, 1e9, "4"]),
    ],
)
def test_options_that_are_none_are_refused_by_name(models, name, values):
    model = nnrt.load(models / "mlp.nnrt")
    for value in values:
        with pytest.raises(nnrt.ArgumentError, match=f"^{name} is "):
            model.session(**{name: value})
        if name in ("threads", "memory_limit"):
            with pytest.raises(nnrt.ArgumentError, match=f"^{name} is "):
                nnrt.load(models / "mlp.nnrt", **{name: value})
        if name in ("threads", "instruction_set"):
            with pytest.raises(nnrt.ArgumentError, match=f"^{name} is "):
                model.selftest(**{name: value})


def test_integers_of_any_kind_and_size_are_options(models):
    model = nnrt.load(models / "wide.nnrt", threads=np.int64(2), memory_limit=2**64 + 100_000)
    options = {"memory_limit": 2**64 + 1, "iteration_limit": 10**30, "threads": np.uint8(1)}
    assert model.session(**options)(np.zeros((100, 512), np.float32)).shape == (100, 512)


def test_what_is_no_index_or_name_is_refused(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    x = np.zeros((1, 16), np.float32)
    for key in (None, 0.0, slice(0)):
        with pytest.raises(nnrt.ArgumentError, match="input is .*; it is an index or a name"):
            session.set_input(key, x)
        with pytest.raises(nnrt.ArgumentError, match="output is "):
            session.output(key)
    session.set_input(np.int32(0), x)
    session.run()
    assert session.output(np.int64(0)).shape == session.output(np.str_("probabilities")).shape == (1, 4)


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
