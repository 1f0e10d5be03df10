import copy
import dataclasses
import pickle
import typing

import numpy as np
import pytest

import nnrt

pytestmark = pytest.mark.usefixtures("calls")


def numbers(*shape, seed=7):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


def test_model_tells_what_it_takes_and_gives(models):
    model = nnrt.load(models / "mlp.nnrt")
    assert [(i.name, i.dtype, i.shape, i.dtype_name) for i in model.inputs] == [
        ("pixels", np.float32, ("N", 16), "f32")
    ]
    assert [(o.name, o.shape) for o in model.outputs] == [("probabilities", ("N", 4))]
    assert model.labels == ("nord", "süd", "ost", "west")
    assert model.metadata["name"] == "A small perceptron"
    assert model.metadata["test.key"] == "test value"
    assert "pixels f32 (N, 16)" in repr(model)


def test_result_is_an_array_of_the_batch(models):
    model = nnrt.load(models / "mlp.nnrt")
    for batch in (1, 3, 64, 0):
        result = model(numbers(batch, 16))
        assert result.shape == (batch, 4) and result.dtype == np.float32
        np.testing.assert_allclose(result.sum(axis=1), np.ones(batch), rtol=1e-6)


def test_rows_do_not_depend_on_their_batch(models):
    model = nnrt.load(models / "mlp.nnrt")
    x = numbers(17, 16)
    together = model(x)
    for row in range(17):
        assert model(x[row : row + 1]).tobytes() == together[row].tobytes()


def test_bytes_and_path_give_the_same(models):
    path = models / "mlp.nnrt"
    x = numbers(5, 16)
    expected = nnrt.load(path)(x).tobytes()
    data = path.read_bytes()
    for source in (str(path), data, bytearray(data), memoryview(data), models / "mlp-raw.nnrt"):
        assert nnrt.load(source)(x).tobytes() == expected


def test_threads_and_instruction_sets_give_the_same_bits(models):
    model = nnrt.load(models / "wide.nnrt")
    x = numbers(9, 512)
    expected = model(x).tobytes()
    for threads in (1, 2, 4):
        assert model.session(threads=threads)(x).tobytes() == expected
    tried = 0
    for level in ("baseline", "v3", "v4"):
        try:
            session = model.session(instruction_set=level)
        except nnrt.ArgumentError as error:
            assert "processor" in str(error)
            continue
        assert session(x).tobytes() == expected
        tried += 1
    assert tried >= 1


def test_inputs_by_position_name_list_and_dict(models):
    model = nnrt.load(models / "lookup.nnrt")
    table, rows = numbers(6, 3), np.array([5, 0, -1])
    picked, sums = model(table, rows)
    np.testing.assert_array_equal(picked, table[rows])
    np.testing.assert_allclose(sums, table[rows].sum(axis=1), rtol=1e-6)
    for again in (
        model([table, rows]),
        model(rows=rows, table=table),
        model({"table": table, "rows": rows}),
        model(table, rows=rows),
    ):
        assert again[0].tobytes() == picked.tobytes() and again[1].tobytes() == sums.tobytes()


def test_missing_unknown_and_doubled_inputs_are_refused(models):
    model = nnrt.load(models / "lookup.nnrt")
    table, rows = numbers(6, 3), np.array([1])
    with pytest.raises(nnrt.ArgumentError, match='missing input "rows"'):
        model(table)
    with pytest.raises(nnrt.ArgumentError, match='no input named "lines"'):
        model(table, lines=rows)
    with pytest.raises(nnrt.ArgumentError, match="given twice"):
        model(table, rows, rows=rows)
    with pytest.raises(nnrt.ArgumentError, match='"rows" is given twice'):
        model({"table": table, "rows": rows}, rows=rows)
    with pytest.raises(nnrt.ArgumentError, match='"rows" is given twice'):
        model({"table": table, "rows": rows, 1: rows})
    with pytest.raises(nnrt.ArgumentError, match="3 inputs given"):
        model(table, rows, rows)


def test_a_list_beside_a_named_input_is_one_input(models):
    model = nnrt.load(models / "lookup.nnrt")
    picked, _ = model([[1, 2, 3], [4, 5, 6]], rows=[1])
    assert picked.tolist() == [[4, 5, 6]]


def test_an_input_may_have_any_name(models):
    model = nnrt.load(models / "mlp.nnrt")
    for call in (model, model.session()):
        with pytest.raises(nnrt.ArgumentError, match='no input named "self"'):
            call(self=numbers(1, 16))


def test_safe_conversions_only(models):
    model = nnrt.load(models / "mlp.nnrt")
    small = np.arange(16, dtype=np.uint8).reshape(1, 16)
    assert model(small).tobytes() == model(small.astype(np.float32)).tobytes()
    assert model([[1.0] * 16]).shape == (1, 4)
    assert model([list(range(16))]).tobytes() == model(small).tobytes()
    with pytest.raises(nnrt.DTypeError, match="takes float32; float64"):
        model(np.zeros((1, 16)))
    with pytest.raises(nnrt.DTypeError):
        model([["a"] * 16])
    lookup = nnrt.load(models / "lookup.nnrt")
    assert lookup(numbers(3, 3), np.array([1], np.int32))[0].shape == (1, 3)
    with pytest.raises(nnrt.DTypeError):
        lookup(numbers(3, 3), [0.5])


def test_strided_and_transposed_arrays_are_taken_as_they_look(models):
    model = nnrt.load(models / "mlp.nnrt")
    x = numbers(16, 10)
    assert model(x.T).tobytes() == model(np.ascontiguousarray(x.T)).tobytes()
    y = numbers(10, 32)
    assert model(y[:, ::2]).tobytes() == model(np.ascontiguousarray(y[:, ::2])).tobytes()


def test_read_only_arrays_and_subclasses_are_taken(models):
    model = nnrt.load(models / "mlp.nnrt")
    x = numbers(3, 16)
    expected = model(x).tobytes()
    x.flags.writeable = False
    assert model(x).tobytes() == expected
    assert model(x.view(np.memmap)).tobytes() == expected
    assert model(np.frombuffer(x.tobytes(), np.float32).reshape(3, 16)).tobytes() == expected


def test_results_are_new_arrays_of_their_own_shapes(models):
    model = nnrt.load(models / "mlp.nnrt")
    session = model.session()
    x = numbers(9, 16)
    given = [(rows, session(x[:rows])) for rows in (4, 9, 1, 4, 0, 9, 4)]
    for rows, result in given:
        assert result.shape == (rows, 4) and result.flags.owndata and result.flags.writeable
        assert result.tobytes() == model.session()(x[:rows]).tobytes()
    with pytest.raises(nnrt.ShapeError):
        session(numbers(4, 15))
    assert session(x[:4]).tobytes() == given[0][1].tobytes()


def test_narrow_types(models):
    halves, flags = nnrt.load(models / "casts.nnrt")(np.array([0, 1, 2, 255], np.uint8))
    assert halves.dtype == np.float16 and halves.tolist() == [0, 1, 2, 255]
    assert flags.dtype == np.bool_ and flags.tolist() == [False, True, True, True]


def test_states_stay_in_their_session(models):
    model = nnrt.load(models / "counter.nnrt")
    one, other = model.session(), model.session()
    step = np.ones(1, np.float32)
    for session, expected in ((one, 1), (one, 2), (other, 1), (one, 3)):
        session.set_input("step", step)
        session.run()
        assert session.output("next")[0] == expected


def test_states_are_left_out_of_calls_and_begin_anew(models):
    model = nnrt.load(models / "counter.nnrt")
    assert [info.is_state for info in model.inputs] == [False, True] and not model.outputs[0].is_state
    step = np.full(1, 2, np.float32)
    # The model itself is a function: each call begins anew.
    assert [model(step)[0], model(step=step)[0], model([2.0])[0], model({"step": step})[0]] == [2, 2, 2, 2]
    assert model(step, [40.0])[0] == 42 and model(step, count=[40.0])[0] == 42 and model(step)[0] == 2
    session = model.session()
    assert [session(step)[0] for _ in range(3)] == [2, 4, 6]
    assert session(step, [40.0])[0] == 42 and session(step)[0] == 44
    session.set_input("count", [10.0])
    assert session(step)[0] == 12
    session.reset()
    assert session(step)[0] == 2
    view = session.output(copy=False)
    with pytest.raises(nnrt.StateError, match="view"):
        session.reset()
    del view
    with pytest.raises(nnrt.ArgumentError, match='missing input "step"'):
        session(count=[1.0])
    with pytest.raises(nnrt.ArgumentError, match="3 inputs given"):
        session(step, step, step)
    session.close()
    with pytest.raises(nnrt.StateError, match="closed"):
        session.reset()


def test_results_end_with_the_next_input(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    for rows in (1, 1, 2):
        session.set_input(0, numbers(rows, 16))
        with pytest.raises(nnrt.StateError, match="until the next input is set"):
            session.output()
        session.run()
        assert session.output().shape == (rows, 4)


def test_self_test(models):
    model = nnrt.load(models / "mlp.nnrt")
    assert model.selftest_count == 2
    model.selftest()
    model.selftest(threads=2, instruction_set="baseline")
    without = nnrt.load(models / "casts.nnrt")
    assert without.selftest_count == 0
    with pytest.raises(nnrt.StateError):
        without.selftest()


def test_version_is_the_librarys():
    assert nnrt.__version__ == nnrt.version()
    assert nnrt.version().count(".") == 2


def test_every_type_comes_and_goes(models):
    model = nnrt.load(models / "types.nnrt")
    given = {}
    for info in model.inputs:
        if info.dtype_name == "bool":
            given[info.name] = np.array([False, True, True, False])
        elif info.dtype.kind in "fiu":
            given[info.name] = np.array([0, 1, 2, 3]).astype(info.dtype)
        else:
            given[info.name] = np.array([0, 1, 2, 0]).astype(info.dtype)
    results = dict(zip([o.name for o in model.outputs], model(given)))
    assert len(model.inputs) == 23
    for info in model.inputs:
        again, number = results[info.name + " again"], results[info.name + " number"]
        assert again.dtype == info.dtype and again.tobytes() == given[info.name].tobytes()
        assert number.dtype == np.float32
        if info.dtype.kind in "fi" or not _are_bits(info):
            np.testing.assert_array_equal(number, given[info.name].astype(np.float32))


def _are_bits(info):
    """Whether NumPy has no such type here, and the array holds bits."""
    return info.dtype_name not in ("u8", "u16", "u32", "u64", "bool") and info.dtype.kind == "u"


def test_types_that_numpy_lacks_are_taken_as_their_bits(models):
    model = nnrt.load(models / "types.nnrt")
    session = model.session()
    for info in model.inputs:
        session.set_input(info.name, np.zeros(2, info.dtype))
    session.set_input("bf16", np.array([0x3F80, 0xC000], np.uint16))
    session.set_input("f8e4m3fn", np.array([0x38, 0xC0], np.uint8))
    session.run()
    assert session.output("bf16 number").tolist() == [1.0, -2.0]
    assert session.output("f8e4m3fn number").tolist() == [1.0, -2.0]


def test_a_copy_of_a_model_is_the_model(models):
    model = nnrt.load(models / "mlp.nnrt")
    assert copy.copy(model) is model and copy.deepcopy({"model": model})["model"] is model


def test_a_model_from_a_path_is_pickled_as_its_path(models, monkeypatch, tmp_path):
    monkeypatch.chdir(models)
    model = nnrt.load("mlp.nnrt", threads=2, memory_limit=1_000_000)
    monkeypatch.chdir(tmp_path)
    again = pickle.loads(pickle.dumps(model))
    assert again is not model and again._options == model._options
    assert again(numbers(3, 16)).tobytes() == model(numbers(3, 16)).tobytes()


def test_a_model_from_bytes_or_closed_is_not_pickled(models):
    model = nnrt.load((models / "mlp.nnrt").read_bytes())
    with pytest.raises(nnrt.StateError, match="not loaded from a path"):
        pickle.dumps(model)
    with nnrt.load(models / "mlp.nnrt") as model:
        pass
    with pytest.raises(nnrt.StateError, match="closed"):
        pickle.dumps(model)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_session_is_not_copied(models, copied):
    session = nnrt.load(models / "mlp.nnrt").session()
    with pytest.raises(nnrt.StateError, match=r"make another with model\.session\(\)"):
        copied(session)


def test_what_a_call_gives_has_no_type_that_hides_the_array():
    # Not Union[array, tuple]: type checkers would refuse model(x).shape.
    for call in (nnrt.Model.__call__, nnrt.Session.__call__):
        assert typing.get_type_hints(call)["return"] is typing.Any
    assert bytearray in typing.get_args(typing.get_type_hints(nnrt.convert)["source"])


def test_help_explains_every_field_of_an_input_or_output():
    fields = [field.name for field in dataclasses.fields(nnrt.TensorInfo)]
    assert fields == ["name", "dtype", "shape", "dtype_name", "is_state"]
    assert all(f"    {name}: " in nnrt.TensorInfo.__doc__ for name in fields)
