import CNNRT
import NNGraph
import NNRuntime

extension Session {
  /// The session behind a handle.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for NULL.
  fileprivate static func of(_ handle: UnsafePointer<nnrt_session>?) throws(NNError) -> Session {
    guard let handle else { throw NNError(.invalidArgument, "session is NULL") }
    return Unmanaged<Session>.fromOpaque(handle).takeUnretainedValue()
  }

  /// See ``nnrt_session_set_input``.
  fileprivate func set(
    _ index: Int, _ code: nnrt_dtype_code, _ dims: UnsafePointer<Int64>?, _ rank: Int,
    _ data: UnsafeRawPointer?, _ size: Int
  ) throws(NNError) {
    let inputs = model.graph.inputs
    let name = model.graph[inputs[try checked(index, of: inputs.count, "input")]].name
    let dtype = try DType(code: code)
    let bytes = try buffer(data, size, "data")
    // A size_t comes as an Int: above half its range it is negative here.
    guard rank >= 0, rank <= Int(NNRT_MAX_RANK) else {
      throw NNError(
        .shapeMismatch,
        "input \(name.quoted): a rank of \(UInt(bitPattern: rank)); at most \(NNRT_MAX_RANK) axes are supported"
      )
    }
    guard dims != nil || rank == 0 else {
      throw NNError(.invalidArgument, "dims is NULL, with a rank of \(rank)")
    }
    // Int has 32 bits on some machines, and nothing here may allocate.
    var extents = InlineArray<8, Int>(repeating: 0)
    for axis in 0..<rank {
      guard let dims, let extent = Int(exactly: dims[axis]), extent >= 0 else {
        throw NNError(.shapeMismatch, "input \(name.quoted): dims[\(axis)] is \(dims?[axis] ?? 0)")
      }
      extents[axis] = extent
    }
    let all = extents.span
    try all.withUnsafeBufferPointer { (all) throws(NNError) in
      try setInput(index, dtype: dtype, extents: UnsafeBufferPointer(rebasing: all[..<rank]), bytes: bytes)
    }
  }

  /// See ``nnrt_session_output``.
  fileprivate func show(_ index: Int, in view: UnsafeMutablePointer<nnrt_tensor>) throws(NNError) {
    let output = try output(index)
    var result = nnrt_tensor()
    result.dtype = output.dtype.code
    result.rank = output.extents.count
    withUnsafeMutableBytes(of: &result.dims) { dims in
      for (axis, extent) in output.extents.enumerated() {
        dims.storeBytes(of: Int64(extent), toByteOffset: axis * MemoryLayout<Int64>.stride, as: Int64.self)
      }
    }
    result.data = output.bytes.baseAddress
    result.size = output.bytes.count
    view.pointee = result
  }
}

/// Makes a session, in which the model can run. Memory for inputs and results is taken when their dimensions are known.
///
/// - Parameters:
///   - model: The model. The session keeps what it needs of it: you may close it while the session lives.
///   - options: NULL for the defaults: one thread, the best instructions. Not kept.
///   - session: Receives the session, which is yours to give to `nnrt_session_destroy`; NULL after a failure.
/// - Returns: `NNRT_OK`; `NNRT_INVALID_ARGUMENT` also for an instruction set this machine cannot run;
///   `NNRT_OUT_OF_MEMORY`.
/// - Threads: Any; several may make sessions from one model at once. Each session is for one thread at a time.
@c(nnrt_session_create) public func nnrt_session_create(
  _ model: UnsafePointer<nnrt_model>?, _ options: UnsafePointer<nnrt_session_options>?,
  _ session: UnsafeMutablePointer<UnsafeMutablePointer<nnrt_session>?>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    guard let session else {
      throw NNError(.invalidArgument, "session is NULL: there is no place to put the session")
    }
    session.pointee = nil
    let made = try Session(ModelHandle.of(model).model, options: .init(options))
    session.pointee = Unmanaged.passRetained(made).toOpaque().assumingMemoryBound(to: nnrt_session.self)
  }
}

/// Gives a session back, and with it the memory that its output views point to.
///
/// - Parameters:
///   - session: The session; NULL is allowed and does nothing. Not to be used afterwards.
/// - Threads: Any, once no other thread uses the session.
@c(nnrt_session_destroy) public func nnrt_session_destroy(_ session: UnsafeMutablePointer<nnrt_session>?) {
  guard let session else { return }
  Unmanaged<Session>.fromOpaque(session).release()
}

/// Sets one input. It stays set until it is set again, but for a carried state, which each successful run changes: see
/// `nnrt_model_input_is_state`. The outputs of the last run end. Dimensions other than those of the last run make the next run plan
/// anew, which takes memory; with the same dimensions nothing is allocated.
///
/// - Parameters:
///   - session: The session.
///   - index: Which input, from 0.
///   - dtype: The type of the elements, which must be the model's.
///   - dims: `rank` extents, outermost first. Not kept. NULL is allowed if `rank` is 0.
///   - rank: How many extents there are.
///   - data: The elements in row-major order, little-endian, at any alignment. They are copied: you may change or free
///     them at once. NULL is allowed if `size` is 0.
///   - size: How many bytes `data` has: exactly the product of the extents times the size of an element.
/// - Returns: `NNRT_OK`; `NNRT_SHAPE_MISMATCH` or `NNRT_DTYPE_MISMATCH` if the model takes something else;
///   `NNRT_INVALID_ARGUMENT`; `NNRT_OUT_OF_MEMORY`. After a failure the session can still be used.
/// - Threads: One at a time for one session.
@c(nnrt_session_set_input) public func nnrt_session_set_input(
  _ session: UnsafeMutablePointer<nnrt_session>?, _ index: size_t, _ dtype: nnrt_dtype_code,
  _ dims: UnsafePointer<Int64>?, _ rank: size_t, _ data: UnsafeRawPointer?, _ size: size_t
) -> nnrt_status {
  attempt { () throws(NNError) in
    try Session.of(session).set(index, dtype, dims, rank, data, size)
  }
}

/// Runs the model on the inputs that are set. On one thread or with an executor, a run with the dimensions of the one before
/// makes no allocation and no system call, and takes no lock.
///
/// - Parameters:
///   - session: The session.
/// - Returns: `NNRT_OK`; `NNRT_INVALID_STATE` if an input is missing; `NNRT_SHAPE_MISMATCH` if the inputs' dimensions do
///   not fit together; `NNRT_INDEX_OUT_OF_RANGE` if an index among the inputs is; `NNRT_OUT_OF_MEMORY`;
///   `NNRT_EXECUTOR_FAILED` if the host's executor broke its contract. After a failure
///   the session can still be used, but its outputs cannot be read until a run succeeds.
/// - Threads: One at a time for one session; any number of sessions run at once.
@c(nnrt_session_run) public func nnrt_session_run(_ session: UnsafeMutablePointer<nnrt_session>?)
  -> nnrt_status
{
  attempt { () throws(NNError) in
    try Session.of(session).run()
  }
}

/// Puts the carried states back to what they were in a new session, so that the next run begins a new sequence: zeros, or not
/// set if a dimension is free. Other inputs stay as they were set; the outputs of the last run end.
///
/// - Parameters:
///   - session: The session.
/// - Returns: `NNRT_OK`; `NNRT_INVALID_ARGUMENT` for NULL.
/// - Threads: One at a time for one session.
@c(nnrt_session_reset) public func nnrt_session_reset(_ session: UnsafeMutablePointer<nnrt_session>?)
  -> nnrt_status
{
  attempt { () throws(NNError) in
    try Session.of(session).reset()
  }
}

/// Shows one output of the last run.
///
/// - Parameters:
///   - session: The session.
///   - index: Which output, from 0.
///   - view: Filled on success. Its data stays in the session and holds until the session's next `set_input`, `reset` or `run`,
///     or its end.
/// - Returns: `NNRT_OK`; `NNRT_INVALID_STATE` unless a run has succeeded since the last input was set; `NNRT_INVALID_ARGUMENT`.
/// - Threads: One at a time for one session.
@c(nnrt_session_output) public func nnrt_session_output(
  _ session: UnsafePointer<nnrt_session>?, _ index: size_t, _ view: UnsafeMutablePointer<nnrt_tensor>?
) -> nnrt_status {
  attempt { () throws(NNError) in
    let session = try Session.of(session)
    guard let view else {
      throw NNError(.invalidArgument, "view is NULL: there is no place to put the answer")
    }
    try session.show(try checked(index, of: session.model.graph.outputs.count, "output"), in: view)
  }
}

/// Sets the first inputs, runs, and shows the first outputs, as `nnrt_session_set_input`, `nnrt_session_run` and
/// `nnrt_session_output` do one by one: for callers to whom each call costs something. Inputs beyond `input_count` stay as they
/// were set.
///
/// - Parameters:
///   - session: The session.
///   - inputs: What inputs 0 to `input_count` - 1 get. Not kept. NULL is allowed if `input_count` is 0. One whose `dtype` is 0 leaves
///     its input as it is: a carried state that comes before what is set.
///   - input_count: How many there are; at most as many as the model has inputs.
///   - outputs: Views of outputs 0 to `output_count` - 1, filled on success; see `nnrt_session_output` for how long they hold.
///     NULL is allowed if `output_count` is 0.
///   - output_count: How many there are; at most as many as the model has outputs.
/// - Returns: `NNRT_OK`; what the three functions return for the first thing that fails. Inputs before that are set then.
/// - Threads: One at a time for one session; any number of sessions run at once.
@c(nnrt_session_call) public func nnrt_session_call(
  _ session: UnsafeMutablePointer<nnrt_session>?, _ inputs: UnsafePointer<nnrt_tensor>?,
  _ input_count: size_t,
  _ outputs: UnsafeMutablePointer<nnrt_tensor>?, _ output_count: size_t
) -> nnrt_status {
  attempt { () throws(NNError) in
    let session = try Session.of(session)
    try check(input_count, "input", session.model.graph.inputs.count, isGiven: inputs != nil)
    try check(output_count, "output", session.model.graph.outputs.count, isGiven: outputs != nil)
    for index in 0..<input_count {
      guard let input = inputs?[index], input.dtype != 0 else { continue }
      try withUnsafeBytes(of: input.dims) { (dims) throws(NNError) in
        try session.set(
          index, input.dtype, dims.baseAddress?.assumingMemoryBound(to: Int64.self), input.rank, input.data,
          input.size)
      }
    }
    try session.run()
    for index in 0..<output_count {
      guard let outputs else { break }
      try session.show(index, in: outputs + index)
    }
  }
}

/// - Throws: ``ErrorCode/invalidArgument`` if there are more tensors than the model has, or some, but nowhere.
private func check(_ count: Int, _ kind: String, _ most: Int, isGiven: Bool) throws(NNError) {
  guard count >= 0, count <= most else {
    throw NNError(.invalidArgument, "\(UInt(bitPattern: count)) \(kind)s; the model has \(most)")
  }
  guard count == 0 || isGiven else {
    throw NNError(.invalidArgument, "\(kind)s is NULL, with a count of \(count)")
  }
}
