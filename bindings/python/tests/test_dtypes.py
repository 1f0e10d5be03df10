"""Which values an input takes, and what becomes of them."""

import array

import numpy as np
import pytest

import nnrt

F64 = np.array([0.1, 0.2])


@pytest.fixture
def take(models):
    """Sets one input of a model that has one of each type; gives what arrives."""
    session = nnrt.load(models / "types.nnrt").session()

    def take(name, value):
        session.set_input(name, value)
        for info in session._inputs:
            if info.name != name:
                session.set_input(info.name, np.zeros(len(value) if hasattr(value, "__len__") else 2, info.dtype))
        session.run()
        return session.output(name + " again")

    return take


@pytest.fixture
def ml_dtypes():
    return pytest.importorskip("ml_dtypes")


class Interface:
    __array_interface__ = F64.__array_interface__


class Array:
    def __array__(self, dtype=None, copy=None):
        return F64


class DLPack:
    def __dlpack__(self, **options):
        return F64.__dlpack__(**options)

    def __dlpack_device__(self):
        return F64.__dlpack_device__()


@pytest.mark.parametrize(
    "value", [memoryview(F64), array.array("d", F64), Array(), Interface(), DLPack(), list(F64), [F64[0], 1.0]]
)
def test_what_holds_float64_is_not_rounded(take, value):
    with pytest.raises((nnrt.DTypeError, nnrt.ArgumentError)):
        take("f32", value)
    if not isinstance(value, DLPack) or hasattr(np, "from_dlpack"):
        assert take("f64", value).tolist()[0] == 0.1


@pytest.mark.parametrize(
    "value", [array.array("f", [1, 2]), memoryview(np.float32([1, 2])), [np.float32(1), np.float32(2)]]
)
def test_what_holds_float32_is_taken(take, value):
    assert take("f32", value).tolist() == [1, 2]


@pytest.mark.parametrize(
    "name, value",
    [
        ("f16", [100000.0]),
        ("f16", [100000]),
        ("f32", [1e300]),
        ("f32", [1, 1e300]),
        ("f32", [2**24 + 1]),
        ("f32", [0.5, 2**24 + 1]),
        ("f64", [2**53 + 1]),
        ("f64", [2**63 - 1]),
        ("f64", [10**400]),
        ("u8", [256]),
        ("u8", [-1]),
        ("u8", [1.0]),
        ("u64", [2**64]),
        ("i64", [2**63]),
        ("i64", [2**63, -1]),
        ("i32", [2**31]),
        ("bool", [2]),
        ("bool", [1.0]),
        ("i64", [0.5]),
    ],
)
def test_numbers_that_a_type_cannot_hold_are_refused(take, name, value):
    with pytest.raises(nnrt.DTypeError, match="takes"):
        take(name, value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("u8", [255]),
        ("u16", [65535]),
        ("u32", [5]),
        ("u64", [2**63]),
        ("u64", [2**64 - 1, 0]),
        ("i64", [-(2**63), 2**63 - 1]),
        ("i8", range(-3, 3)),
        ("bool", [1, 0, True]),
        ("f32", [2**24, 0.5, True]),
        ("f64", [2**63]),
        ("f32", [float("inf"), -float("inf")]),
        ("u8", []),
        ("bool", []),
        ("bf16", []),
    ],
)
def test_numbers_that_fit_are_taken(take, name, value):
    assert take(name, value).tolist() == list(value)


def test_floats_are_rounded(take):
    assert take("f32", [0.1, 1e-300]).tolist() == [np.float32(0.1), 0]
    assert np.isnan(take("f32", [float("nan")]))


def test_a_scalar_is_a_number_too(models):
    session = nnrt.load(models / "types.nnrt").session()
    for name, value in (("u8", 200), ("bool", True), ("f32", 0.5)):
        with pytest.raises(nnrt.ShapeError):  # one axis is asked for, and the type is right
            session.set_input(name, value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("f8e4m3fn", [1e9]),
        ("f8e4m3fn", [float("inf")]),
        ("f8e5m2", [1e9]),
        ("f8e8m0", [-1.0]),
        ("f8e8m0", [3]),
        ("f4e2m1", [8.0]),
        ("f4e2m1", [float("nan")]),
        ("bf16", [257]),
        ("bf16", [2**70 + 1]),
        ("i4", [8]),
        ("u2", [4]),
    ],
)
def test_numbers_that_a_narrow_type_cannot_hold_are_refused(take, ml_dtypes, name, value):
    with pytest.raises(nnrt.DTypeError, match="cannot hold"):
        take(name, value)


@pytest.mark.parametrize(
    "name, value",
    [("f8e4m3fn", [448.0]), ("f8e5m2", [float("inf")]), ("f4e2m1", [6, 0.5]), ("bf16", [256, 0.5]), ("i4", [-8, 7])],
)
def test_numbers_that_fit_a_narrow_type_are_taken(take, ml_dtypes, name, value):
    assert take(name, value).tolist() == value


@pytest.mark.parametrize("order", ["<", ">"])
def test_bits_are_taken_in_either_byte_order(take, order):
    assert take("bf16", np.array([0x3F80, 0xC000], order + "u2")).tobytes() == bytes.fromhex("803f00c0")


def test_the_advice_works_in_every_numpy(take):
    with pytest.raises(nnrt.DTypeError, match=r"\.astype\(np\.bool_\)$"):
        take("bool", np.array([1, 0]))
    with pytest.raises(nnrt.DTypeError, match=r"\.astype\(np\.float32\)$"):
        take("f32", F64)


def test_what_is_no_number_is_refused(take):
    for value in (None, "abc", b"abc", [None], ["a"], object(), {1: 2}, 1j, [1j]):
        with pytest.raises(nnrt.DTypeError, match='input "f32" takes float32'):
            take("f32", value)
    with pytest.raises((nnrt.ArgumentError, nnrt.DTypeError), match='input "f32"'):
        take("f32", [[1, 2], [3]])


class TestTorch:
    @pytest.fixture(autouse=True)
    def torch(self):
        self.torch = pytest.importorskip("torch")

    def test_float64_is_not_rounded(self, take):
        with pytest.raises(nnrt.DTypeError, match="float64 could change"):
            take("f32", self.torch.tensor(F64))

    def test_gradients_stay_behind(self, take):
        assert take("f32", self.torch.ones(2, requires_grad=True)).tolist() == [1, 1]

    def test_bfloat16_keeps_its_values(self, take):
        tensor = self.torch.tensor([1.5, -2.0], dtype=self.torch.bfloat16)
        assert take("f32", tensor).tolist() == [1.5, -2.0]
        with pytest.raises(nnrt.DTypeError):
            take("u16", tensor)
        pytest.importorskip("ml_dtypes")
        assert take("bf16", tensor).tolist() == [1.5, -2.0]

    def test_what_numpy_does_not_know_is_an_error_of_this_package(self, take):
        with pytest.raises(nnrt.ArgumentError, match='input "f32"'):
            take("f32", self.torch.ones(2).to(self.torch.float8_e5m2))
