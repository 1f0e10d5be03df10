import CPlatform
import NNFormat
import NNGraph

/// A network ready to run: immutable, and shared by any number of threads, each with a ``Session`` of its own.
public final class Model: Sendable {
  public struct Options: Sendable {
    /// What reading the file may cost.
    public var limits: ReadLimits
    /// Threads that decode the weights, the calling one among them: 1 to 256.
    public var threads: Int
    /// What shares the work if there may be several threads; nil for the process's workers.
    public var executor: HostExecutor?

    public init(limits: ReadLimits = ReadLimits(), threads: Int = 1, executor: HostExecutor? = nil) {
      self.limits = limits
      self.threads = threads
      self.executor = executor
    }

    /// - Throws: ``ErrorCode/invalidArgument`` for a number of threads that is none.
    func team() throws(NNError) -> DecodingTeam {
      try ThreadPool.check(threads: threads)
      guard threads > 1 else { return .alone }
      let team = executor.map { ExecutorTeam($0) }
      return DecodingTeam(threads: threads) { [threads] (units, work) throws(NNError) in
        if let team {
          try team.run(units: units, threads: threads, work: work)
        } else {
          ThreadPool.shared.prepare(workers: threads - 1)
          ThreadPool.shared.run(units: units, threads: threads, work: work)
        }
      }
    }
  }

  public let graph: Graph
  public let metadata: Metadata
  let storedSelfTests: StoredSelfTests

  /// Takes over what a file holds.
  ///
  /// - Throws: ``ErrorCode/invalidGraph`` and the like if the graph does not pass ``Graph/verify()``.
  public init(_ file: ModelFile) throws(NNError) {
    try file.graph.verify()
    graph = file.graph
    metadata = file.metadata
    storedSelfTests = .vectors(file.selfTests)
  }

  /// What a reader has verified already.
  private init(verified file: ModelFile, _ selfTests: StoredSelfTests? = nil) {
    graph = file.graph
    metadata = file.metadata
    storedSelfTests = selfTests ?? .vectors(file.selfTests)
  }

  /// Opens a `.nnrt` file.
  ///
  /// The file is mapped: tensors stored raw are used where they lie and shared with other processes. It must not be
  /// shortened while the model lives; replace it by renaming another file over it instead.
  ///
  /// - Throws: ``ErrorCode/fileAccess`` naming the path, or ``ErrorCode/invalidArgument`` for the options,
  ///   ``ErrorCode/executorFailed``, or what ``ModelFile/decode(_:keptAliveBy:isMapped:limits:by:readsSelfTests:)`` throws.
  public static func open(path: UnsafePointer<CChar>, options: Options = Options()) throws(NNError) -> Model {
    var mapping = nnp_mapping()
    let status = nnp_file_map(path, &mapping)
    guard status == 0 else {
      let reason = status == EINVAL ? "is no regular file, which cannot be mapped" : nil
      throw NNError(
        status == ENOMEM ? .outOfMemory : .fileAccess,
        "\"\(String(cString: path))\": \(reason ?? String(cString: nnp_error_text(status)))")
    }
    let file = MappedFile(mapping)
    do throws(NNError) {
      let decoded = try ModelFile.decode(
        file.bytes, keptAliveBy: file, isMapped: true, limits: options.limits, by: try options.team(),
        readsSelfTests: false)
      file.joinPieces()
      return Model(verified: decoded, .file(file, options.limits))
    } catch {
      throw error.within("\"\(String(cString: path))\"")
    }
  }

  /// Opens the bytes of a `.nnrt` file, which are copied: the caller may free them at once.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for the options, ``ErrorCode/executorFailed``,
  ///   or what ``ModelFile/decode(_:keptAliveBy:isMapped:limits:by:readsSelfTests:)`` throws, or ``ErrorCode/outOfMemory``.
  public static func open(bytes: UnsafeRawBufferPointer, options: Options = Options()) throws(NNError)
    -> Model
  {
    guard bytes.count <= options.limits.memory else {
      throw NNError(
        .limitExceeded, "the file has \(bytes.count) bytes, the limit is \(options.limits.memory)")
    }
    let copy = try TensorStorage.allocate(size: bytes.count) { (memory) throws(NNError) in
      memory.copyMemory(from: bytes)
    }
    return Model(
      verified: try ModelFile.decode(
        copy.bytes, keptAliveBy: copy, limits: options.limits, by: try options.team()))
  }

  /// Whether every input's extents follow from its declared shape alone, and if so which.
  var fixedInputExtents: [[Int]]? {
    var result: [[Int]] = []
    for input in graph.inputs {
      guard let extents = graph[input].type.shape.extents else { return nil }
      result.append(extents)
    }
    return result
  }
}

/// A file mapped for reading, unmapped when nothing refers to it any more.
final class MappedFile: @unchecked Sendable {
  private let mapping: nnp_mapping

  init(_ mapping: nnp_mapping) {
    self.mapping = mapping
  }

  deinit { nnp_file_unmap(mapping) }

  /// To be called when it has been read.
  func joinPieces() { nnp_file_join_pieces(mapping) }

  var bytes: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: mapping.bytes, count: mapping.size)
  }
}
