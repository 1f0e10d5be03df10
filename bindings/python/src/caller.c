/* The two calls that are made over and over, with arguments that stay where they are. ctypes makes them, too; beside a model of a few
   microseconds its own time shows. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x03090000
#include <Python.h>

typedef int (*run_function)(void *session);
typedef int (*call_function)(void *session, const void *inputs, size_t input_count, void *outputs, size_t output_count);

typedef struct {
  PyObject_HEAD
  PyObject *acquire;
  PyObject *release;
  PyObject *views; /* a set: while something is in it, nothing runs */
  run_function run;
  call_function call;
  void *session; /* NULL after close() */
  void *inputs;
  void *outputs;
  Py_ssize_t input_count;
  Py_ssize_t output_count;
} Caller;

static PyObject *caller_new(PyTypeObject *type, PyObject *arguments, PyObject *keywords) {
  PyObject *acquire, *release, *views;
  unsigned long long run, call, session, inputs, outputs;
  Py_ssize_t input_count, output_count;
  if (keywords && PyDict_Size(keywords) > 0) {
    PyErr_SetString(PyExc_TypeError, "Caller takes no arguments by name");
    return NULL;
  }
  if (!PyArg_ParseTuple(arguments, "OOKKKKnKnO!:Caller", &acquire, &release, &run, &call, &session, &inputs,
                        &input_count, &outputs, &output_count, &PySet_Type, &views))
    return NULL;
  allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
  Caller *self = (Caller *)allocate(type, 0);
  if (!self) return NULL;
  Py_INCREF(acquire);
  Py_INCREF(release);
  Py_INCREF(views);
  self->acquire = acquire;
  self->release = release;
  self->views = views;
  self->run = (run_function)(uintptr_t)run;
  self->call = (call_function)(uintptr_t)call;
  self->session = (void *)(uintptr_t)session;
  self->inputs = (void *)(uintptr_t)inputs;
  self->input_count = input_count;
  self->outputs = (void *)(uintptr_t)outputs;
  self->output_count = output_count;
  return (PyObject *)self;
}

static void caller_dealloc(PyObject *object) {
  Caller *self = (Caller *)object;
  PyTypeObject *type = Py_TYPE(object);
  Py_XDECREF(self->acquire);
  Py_XDECREF(self->release);
  Py_XDECREF(self->views);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

/* 0 if it may run; else what `run` and `call` give. */
static int refusal(const Caller *self) {
  if (!self->session) return -1;
  return PySet_Size(self->views) > 0 ? -2 : 0;
}

static PyObject *caller_run(PyObject *object, PyObject *unused) {
  (void)unused;
  Caller *self = (Caller *)object;
  PyObject *done = PyObject_CallObject(self->acquire, NULL);
  if (!done) return NULL;
  Py_DECREF(done);
  int status = refusal(self);
  if (status == 0) {
    Py_BEGIN_ALLOW_THREADS
    status = self->run(self->session);
    Py_END_ALLOW_THREADS
  }
  done = PyObject_CallObject(self->release, NULL);
  if (!done) return NULL;
  Py_DECREF(done);
  return PyLong_FromLong(status);
}

static PyObject *caller_call(PyObject *object, PyObject *unused) {
  (void)unused;
  Caller *self = (Caller *)object;
  int status = refusal(self);
  if (status == 0) {
    Py_BEGIN_ALLOW_THREADS
    status = self->call(self->session, self->inputs, (size_t)self->input_count, self->outputs, (size_t)self->output_count);
    Py_END_ALLOW_THREADS
  }
  return PyLong_FromLong(status);
}

static PyObject *caller_close(PyObject *object, PyObject *unused) {
  (void)unused;
  ((Caller *)object)->session = NULL;
  Py_RETURN_NONE;
}

static PyMethodDef caller_methods[] = {
    {"run", caller_run, METH_NOARGS,
     "nnrt_session_run with the lock held, without the GIL: its status, -1 if closed, -2 if viewed."},
    {"call", caller_call, METH_NOARGS, "nnrt_session_call without the GIL; who calls holds the lock. As run()."},
    {"close", caller_close, METH_NOARGS, "Ends calls; who calls holds the lock."},
    {NULL, NULL, 0, NULL}};

static PyType_Slot caller_slots[] = {{Py_tp_new, (void *)caller_new},
                                     {Py_tp_dealloc, (void *)caller_dealloc},
                                     {Py_tp_methods, caller_methods},
                                     {Py_tp_doc, (void *)"What _calls.Caller is, compiled."},
                                     {0, NULL}};

static PyType_Spec caller_spec = {"nnrt._caller.Caller", sizeof(Caller), 0, Py_TPFLAGS_DEFAULT, caller_slots};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "nnrt._caller", NULL, -1, NULL, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__caller(void) {
  PyObject *created = PyModule_Create(&module);
  if (!created) return NULL;
  PyObject *type = PyType_FromSpec(&caller_spec);
  if (!type || PyModule_AddObject(created, "Caller", type) < 0) {
    Py_XDECREF(type);
    Py_DECREF(created);
    return NULL;
  }
  return created;
}
