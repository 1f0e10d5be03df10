import CNNRT
import CPlatform
import NNGraph
import NNRuntime

/// Opens the model in a .nnrt file. The file is mapped rather than read, so several processes share what is stored raw in
/// it; do not change it in place while it is open (replacing it by rename is fine).
///
/// - Parameters:
///   - path: The file's path, ending with NUL. Not kept.
///   - options: NULL for the defaults. Not kept.
///   - model: Receives the model, which is yours to give to `nnrt_model_close`; NULL after a failure.
/// - Returns: `NNRT_OK`; `NNRT_FILE_ACCESS` if the file cannot be read, another status from 20 to 79 if it is not a valid
///   model, `NNRT_LIMIT_EXCEEDED` if it asks for more memory than the options allow, `NNRT_EXECUTOR_FAILED` if the host's
///   executor broke its contract.
/// - Threads: Any.
@c(nnrt_model_open) public func nnrt_model_open(
  _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<nnrt_model_options>?,
  _ model: UnsafeMutablePointer<UnsafeMutablePointer<nnrt_model>?>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    guard let model else {
      throw NNError(.invalidArgument, "model is NULL: there is no place to put the model")
    }
    model.pointee = nil
    guard let path else { throw NNError(.invalidArgument, "path is NULL") }
    model.pointee = try ModelHandle(Model.open(path: path, options: .init(options))).retainedHandle()
  }
}

/// Opens a model from the bytes of a .nnrt file in memory.
///
/// - Parameters:
///   - bytes: The file's bytes. They are copied: you may free them at once.
///   - size: How many bytes there are.
///   - options: NULL for the defaults. Not kept.
///   - model: Receives the model, which is yours to give to `nnrt_model_close`; NULL after a failure.
/// - Returns: `NNRT_OK`, or as `nnrt_model_open`.
/// - Threads: Any.
@c(nnrt_model_open_memory) public func nnrt_model_open_memory(
  _ bytes: UnsafeRawPointer?, _ size: size_t, _ options: UnsafePointer<nnrt_model_options>?,
  _ model: UnsafeMutablePointer<UnsafeMutablePointer<nnrt_model>?>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    guard let model else {
      throw NNError(.invalidArgument, "model is NULL: there is no place to put the model")
    }
    model.pointee = nil
    let file = try buffer(bytes, size, "bytes")
    model.pointee = try ModelHandle(Model.open(bytes: file, options: .init(options))).retainedHandle()
  }
}

/// Gives a model back. Sessions made from it go on working: what they need lives until the last of them is destroyed. The
/// texts the model gave out (names, metadata) end here.
///
/// - Parameters:
///   - model: The model; NULL is allowed and does nothing. Not to be used afterwards.
/// - Threads: Any, once no other thread uses the model.
@c(nnrt_model_close) public func nnrt_model_close(_ model: UnsafeMutablePointer<nnrt_model>?) {
  guard let model else { return }
  Unmanaged<ModelHandle>.fromOpaque(model).release()
}

/// How many inputs the model takes.
///
/// - Parameters:
///   - model: The model.
/// - Returns: The number; 0 if `model` is NULL.
/// - Threads: Any.
@c(nnrt_model_input_count) public func nnrt_model_input_count(_ model: UnsafePointer<nnrt_model>?) -> size_t {
  count(model) { $0.inputs.count }
}

/// How many outputs the model gives.
///
/// - Parameters:
///   - model: The model.
/// - Returns: The number; 0 if `model` is NULL.
/// - Threads: Any.
@c(nnrt_model_output_count) public func nnrt_model_output_count(_ model: UnsafePointer<nnrt_model>?) -> size_t
{
  count(model) { $0.outputs.count }
}

/// Tells name, type and dimensions of one input.
///
/// - Parameters:
///   - model: The model.
///   - index: Which input, from 0.
///   - info: Filled on success; its texts live as long as the model.
/// - Returns: `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or an index out of range.
/// - Threads: Any.
@c(nnrt_model_input_info) public func nnrt_model_input_info(
  _ model: UnsafePointer<nnrt_model>?, _ index: size_t, _ info: UnsafeMutablePointer<nnrt_tensor_info>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    try tell(ModelHandle.of(model).inputs, "input", index, info)
  }
}

/// Whether an input is a carried state. Each session has one of its own: zeros at first, and after each successful run what
/// the run has made of it, so that it need not be set. One with a free dimension has to be set before the first run.
///
/// - Parameters:
///   - model: The model.
///   - index: Which input, from 0.
/// - Returns: 1 if it is, 0 if not; 0 with a message if `model` is NULL or the index is out of range.
/// - Threads: Any.
@c(nnrt_model_input_is_state) public func nnrt_model_input_is_state(
  _ model: UnsafePointer<nnrt_model>?, _ index: size_t
) -> CInt {
  var result: CInt = 0
  _ = attempt { () throws(NNError) in
    let graph = try ModelHandle.of(model).model.graph
    let input = graph.inputs[try checked(index, of: graph.inputs.count, "input")]
    for state in graph.states where state.input == input { result = 1 }
  }
  return result
}

/// Tells name, type and dimensions of one output.
///
/// - Parameters:
///   - model: The model.
///   - index: Which output, from 0.
///   - info: Filled on success; its texts live as long as the model.
/// - Returns: `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or an index out of range.
/// - Threads: Any.
@c(nnrt_model_output_info) public func nnrt_model_output_info(
  _ model: UnsafePointer<nnrt_model>?, _ index: size_t, _ info: UnsafeMutablePointer<nnrt_tensor_info>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    try tell(ModelHandle.of(model).outputs, "output", index, info)
  }
}

/// Finds an input by its name.
///
/// - Parameters:
///   - model: The model.
///   - name: The name, in UTF-8, ending with NUL. Not kept.
///   - index: Receives the index on success.
/// - Returns: `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or a name no input has.
/// - Threads: Any.
@c(nnrt_model_find_input) public func nnrt_model_find_input(
  _ model: UnsafePointer<nnrt_model>?, _ name: UnsafePointer<CChar>?, _ index: UnsafeMutablePointer<size_t>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    try find(ModelHandle.of(model).inputs, "input", name, index)
  }
}

/// Finds an output by its name.
///
/// - Parameters:
///   - model: The model.
///   - name: The name, in UTF-8, ending with NUL. Not kept.
///   - index: Receives the index on success.
/// - Returns: `NNRT_OK`, or `NNRT_INVALID_ARGUMENT` for NULL or a name no output has.
/// - Threads: Any.
@c(nnrt_model_find_output) public func nnrt_model_find_output(
  _ model: UnsafePointer<nnrt_model>?, _ name: UnsafePointer<CChar>?, _ index: UnsafeMutablePointer<size_t>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    try find(ModelHandle.of(model).outputs, "output", name, index)
  }
}

/// How many self-test vectors the model holds: inputs with the outputs they must give, bit for bit.
///
/// - Parameters:
///   - model: The model.
/// - Returns: The number; 0 if `model` is NULL, or if the vectors cannot be read, which `nnrt_model_self_test` explains.
/// - Threads: Any.
@c(nnrt_model_self_test_count) public func nnrt_model_self_test_count(_ model: UnsafePointer<nnrt_model>?)
  -> size_t
{
  count(model) { (try? $0.model.selfTests())?.count ?? 0 }
}

/// Runs the model's self-test vectors, each in a session of its own.
///
/// - Parameters:
///   - model: The model.
///   - options: How to run them; NULL for the defaults. Not kept.
/// - Returns: `NNRT_OK` if all agree; `NNRT_SELF_TEST_FAILED`, with a message that names the first element that differs;
///   `NNRT_INVALID_STATE` if the model has no vectors; or as `nnrt_session_create`.
/// - Threads: Any.
@c(nnrt_model_self_test) public func nnrt_model_self_test(
  _ model: UnsafePointer<nnrt_model>?, _ options: UnsafePointer<nnrt_session_options>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    try ModelHandle.of(model).model.selfTest(options: .init(options))
  }
}

/// A number about a model, or 0 and a message for NULL.
func count(_ model: UnsafePointer<nnrt_model>?, _ value: (ModelHandle) -> Int) -> size_t {
  var result = 0
  _ = attempt { () throws(NNError) in result = value(try ModelHandle.of(model)) }
  return result
}

/// `index` as an index into `count` things.
///
/// - Throws: ``ErrorCode/invalidArgument`` if it is out of range.
func checked(_ index: size_t, of count: Int, _ what: StaticString) throws(NNError) -> Int {
  // A size_t comes as an Int: above half its range it is negative here.
  guard index >= 0, index < count else {
    throw NNError(.invalidArgument, "there is no \(what) \(UInt(bitPattern: index)): the model has \(count)")
  }
  return index
}

/// `size` bytes at `start`, which may be NULL if there are none.
///
/// - Throws: ``ErrorCode/invalidArgument``.
func buffer(_ start: UnsafeRawPointer?, _ size: size_t, _ what: StaticString) throws(NNError)
  -> UnsafeRawBufferPointer
{
  guard size >= 0 else {
    throw NNError(.invalidArgument, "\(what): a size of \(UInt(bitPattern: size)) bytes cannot be")
  }
  guard start != nil || size == 0 else {
    throw NNError(.invalidArgument, "\(what) is NULL, with a size of \(size)")
  }
  return UnsafeRawBufferPointer(start: start, count: size)
}

private func tell(
  _ infos: UnsafeBufferPointer<nnrt_tensor_info>, _ what: StaticString, _ index: size_t,
  _ info: UnsafeMutablePointer<nnrt_tensor_info>?
) throws(NNError) {
  guard let info else { throw NNError(.invalidArgument, "info is NULL: there is no place to put the answer") }
  info.pointee = infos[try checked(index, of: infos.count, what)]
}

private func find(
  _ infos: UnsafeBufferPointer<nnrt_tensor_info>, _ what: StaticString, _ name: UnsafePointer<CChar>?,
  _ index: UnsafeMutablePointer<size_t>?
) throws(NNError) {
  guard let name else { throw NNError(.invalidArgument, "name is NULL") }
  guard let index else {
    throw NNError(.invalidArgument, "index is NULL: there is no place to put the answer")
  }
  for (position, info) in infos.enumerated() where strcmp(info.name!, name) == 0 {
    index.pointee = position
    return
  }
  throw NNError(.invalidArgument, "the model has no \(what) named \"\(String(cString: name))\"")
}
