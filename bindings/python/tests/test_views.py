"""Views of outputs: no order of calls leaves one on memory that has gone."""

import gc

import numpy as np
import pytest

import nnrt
from nnrt import _session

pytestmark = pytest.mark.usefixtures("calls")


def ones(rows):
    return np.ones((rows, 16), np.float32)


@pytest.fixture
def session(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    session.set_input(0, ones(3))
    session.run()
    return session


def test_a_view_has_the_output_s_values_type_and_shape(models):
    session = nnrt.load(models / "types.nnrt").session()
    for info in session._inputs:
        session.set_input(info.name, np.ones(2, info.dtype))
    session.run()
    for info in session._outputs:
        copied, view = session.output(info.name), session.output(info.name, copy=False)
        assert view.dtype == copied.dtype and view.shape == copied.shape and view.tobytes() == copied.tobytes()


def test_a_view_of_no_elements(models):
    session = nnrt.load(models / "mlp.nnrt").session()
    session(ones(0))
    view = session.output(copy=False)
    assert view.shape == (0, 4) and not view.flags.writeable


def test_a_view_cannot_be_made_writeable(session):
    view = session.output(copy=False)
    with pytest.raises(ValueError):
        view[0, 0] = 1
    for array in (view, view[1:], view.base):
        with pytest.raises(ValueError):
            array.flags.writeable = True
        with pytest.raises(ValueError):
            array.setflags(write=True)


def test_the_session_takes_nothing_and_does_not_run_while_a_view_is_alive(session):
    expected = session.output()
    view = session.output(copy=False)
    attempts = [session.run, lambda: session(ones(3)), lambda: session(ones(100))]
    attempts += [lambda: session.set_input(0, ones(3)), lambda: session.set_input(0, ones(100))]
    for attempt in attempts:
        with pytest.raises(nnrt.StateError, match="a view of an output is alive"):
            attempt()
    assert session.output().tobytes() == view.tobytes() == expected.tobytes()
    del view
    assert session(ones(100)).shape == (100, 4)
    session.run()


@pytest.mark.parametrize("derive", [lambda v: v[1:], memoryview, lambda v: v.base, lambda v: v.T.view(np.recarray)])
def test_what_is_made_of_a_view_counts_as_one(session, derive):
    derived = derive(session.output(copy=False))
    with pytest.raises(nnrt.StateError):
        session.run()
    del derived
    session.run()


def test_views_outlive_their_session(session):
    expected = session.output().tobytes()
    with session:
        view, other = session.output(copy=False), session.output(copy=False)
    with pytest.raises(nnrt.StateError, match="closed"):
        session.run()
    del session, other
    gc.collect()
    assert view.tobytes() == expected


def test_garbage_in_a_cycle_can_still_read_its_view(models, monkeypatch):
    class Holder:
        def __init__(self, session):
            self.me, self.session, self.view = self, session, session.output(copy=False)

        def __del__(self):
            events.append(self.view.tobytes() == self.session.output().tobytes())

    def destroy(handle):
        events.append("destroyed")
        original(handle)

    original, events = _session.lib.nnrt_session_destroy, []
    monkeypatch.setattr(_session.lib, "nnrt_session_destroy", destroy)
    session = nnrt.load(models / "mlp.nnrt").session()
    session(ones(3))
    holder = Holder(session)
    del holder, session
    gc.collect()
    assert events == [True, "destroyed"]
