import CNNRT
import NNFormat
import NNGraph
import NNRuntime

/// Copies an option struct a program gave, of whatever version, over the defaults.
///
/// - Parameters:
///   - given: NULL for the defaults; else a struct that starts with its own size as a `size_t`.
///   - name: of the struct, for messages.
///   - defaults: gives what members beyond the given size are.
/// - Throws: ``ErrorCode/invalidArgument`` if the size is 0 or absurd, or if members this library does not know are set.
private func read<Options>(_ given: UnsafePointer<Options>?, _ name: StaticString, _ defaults: Options)
  throws(NNError) -> Options
{
  guard let given else { return defaults }
  let size = UnsafeRawPointer(given).loadUnaligned(as: UInt.self)
  // No version of these structs will ever be this large; a larger number is memory that was never set.
  guard size >= UInt(MemoryLayout<UInt>.size), size <= 4096 else {
    throw NNError(
      .invalidArgument,
      "\(name).struct_size is \(size); set it to sizeof(\(name)), and all other members to 0")
  }
  let known = MemoryLayout<Options>.size
  let bytes = UnsafeRawBufferPointer(start: given, count: Int(size))
  var index = known
  while index < bytes.count {
    guard bytes[index] == 0 else {
      throw NNError(
        .invalidArgument, "\(name) has members set that version \(versionText) of the library does not know")
    }
    index += 1
  }
  var options = defaults
  withUnsafeMutableBytes(of: &options) { place in
    // Whole words, as every version of a struct has: half a pointer leads nowhere.
    let size = min(bytes.count, known) & -MemoryLayout<UInt>.size
    place.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<size]))
  }
  return options
}

private var versionText: String { String(cString: nnrt_version()) }

extension Model.Options {
  /// - Throws: ``ErrorCode/invalidArgument`` for a bad `struct_size`, or a reserved member that is not 0.
  init(_ given: UnsafePointer<nnrt_model_options>?) throws(NNError) {
    let options = try read(given, "nnrt_model_options", nnrt_model_options())
    self.init()
    if options.memory_limit != 0 { limits.memory = Int(clamping: options.memory_limit) }
    threads = max(1, Int(options.threads))
    executor = HostExecutor(options.parallel_for, options.parallel_context)
    guard options.reserved == 0 else {
      throw NNError(.invalidArgument, "nnrt_model_options.reserved is \(options.reserved); it must be 0")
    }
  }
}

extension Session.Options {
  /// - Throws: ``ErrorCode/invalidArgument`` for a bad `struct_size` or an unknown instruction set.
  init(_ given: UnsafePointer<nnrt_session_options>?) throws(NNError) {
    let options = try read(given, "nnrt_session_options", nnrt_session_options())
    self.init()
    threads = max(1, Int(options.threads))
    instructionSet = try InstructionSetLevel(code: options.instruction_set)
    if options.memory_limit != 0 { memoryLimit = Int(clamping: options.memory_limit) }
    if options.iteration_limit != 0 { iterationLimit = Int(clamping: options.iteration_limit) }
    executor = HostExecutor(options.parallel_for, options.parallel_context)
  }
}

extension HostExecutor {
  /// Calls a program's function; nil for NULL.
  init?(_ parallelFor: nnrt_parallel_for?, _ context: UnsafeMutableRawPointer?) {
    guard let parallelFor else { return nil }
    nonisolated(unsafe) let context = context
    self.init { work in
      parallelFor(
        context, work.count, { argument, index in Work.run(part: index, of: argument) }, work.pointer)
    }
  }
}
