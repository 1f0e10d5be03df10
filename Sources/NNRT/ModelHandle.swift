import CNNRT
import CPlatform
import NNFormat
import NNGraph
import NNRuntime

/// What an `nnrt_model *` points to: the model, and what C programs are told about it in the form C takes.
final class ModelHandle {
  let model: Model
  let inputs: [nnrt_tensor_info]
  let outputs: [nnrt_tensor_info]
  let metadata: [(key: UnsafePointer<CChar>, value: UnsafePointer<CChar>)]
  private let texts: CStrings

  /// - Throws: ``ErrorCode/outOfMemory``.
  init(_ model: Model) throws(NNError) {
    var size = 0
    for symbol in model.graph.symbols { size += CStrings.size(symbol) }
    for id in model.graph.inputs + model.graph.outputs { size += CStrings.size(model.graph[id].name) }
    for entry in model.metadata.entries { size += CStrings.size(entry.key) + CStrings.size(entry.value) }
    let texts = try CStrings(capacity: size)

    var symbols: [UnsafePointer<CChar>] = []
    for symbol in model.graph.symbols { symbols.append(texts.add(symbol)) }
    var metadata: [(key: UnsafePointer<CChar>, value: UnsafePointer<CChar>)] = []
    for entry in model.metadata.entries { metadata.append((texts.add(entry.key), texts.add(entry.value))) }
    var inputs: [nnrt_tensor_info] = []
    for id in model.graph.inputs { inputs.append(describe(model.graph[id], symbols, texts)) }
    var outputs: [nnrt_tensor_info] = []
    for id in model.graph.outputs { outputs.append(describe(model.graph[id], symbols, texts)) }

    self.model = model
    self.inputs = inputs
    self.outputs = outputs
    self.metadata = metadata
    self.texts = texts
  }

  /// The object behind a handle.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` for NULL.
  static func of(_ handle: UnsafePointer<nnrt_model>?) throws(NNError) -> ModelHandle {
    guard let handle else { throw NNError(.invalidArgument, "model is NULL") }
    return Unmanaged<ModelHandle>.fromOpaque(handle).takeUnretainedValue()
  }

  /// A handle that keeps this object alive until it is released.
  func retainedHandle() -> UnsafeMutablePointer<nnrt_model> {
    Unmanaged.passRetained(self).toOpaque().assumingMemoryBound(to: nnrt_model.self)
  }
}

private func describe(_ value: Value, _ symbols: [UnsafePointer<CChar>], _ texts: CStrings)
  -> nnrt_tensor_info
{
  var info = nnrt_tensor_info()
  info.name = texts.add(value.name)
  info.dtype = value.type.dtype.code
  let rank = min(value.type.shape.rank, Int(NNRT_MAX_RANK))
  info.rank = rank
  // C arrays are tuples in Swift; these two are read and written as the arrays they are.
  withUnsafeMutableBytes(of: &info.dims) { dims in
    withUnsafeMutableBytes(of: &info.dim_names) { names in
      for axis in 0..<rank {
        var extent: Int64 = -1
        var name: UnsafePointer<CChar>?
        switch value.type.shape[axis] {
        case .fixed(let known): extent = Int64(known)
        case .named(let symbol): name = symbol >= 0 && symbol < symbols.count ? symbols[symbol] : nil
        case .unknown: break
        }
        dims.storeBytes(of: extent, toByteOffset: axis * MemoryLayout<Int64>.stride, as: Int64.self)
        names.storeBytes(
          of: name, toByteOffset: axis * MemoryLayout<UnsafePointer<CChar>?>.stride,
          as: UnsafePointer<CChar>?.self)
      }
    }
  }
  return info
}

/// Texts that end with NUL, in one piece of memory.
final class CStrings {
  private let memory: UnsafeMutablePointer<CChar>
  private let capacity: Int
  private var used = 0

  /// - Throws: ``ErrorCode/outOfMemory``.
  init(capacity: Int) throws(NNError) {
    guard let bytes = nnp_allocate(capacity) else {
      throw NNError(.outOfMemory, "\(capacity) bytes for the model's texts could not be allocated")
    }
    self.memory = bytes.assumingMemoryBound(to: CChar.self)
    self.capacity = capacity
  }

  deinit { nnp_free(memory) }

  /// The bytes `text` takes here.
  static func size(_ text: Name) -> Int { text.utf8.count + 1 }

  /// A copy of `text`. All copies together must fit the capacity.
  func add(_ text: Name) -> UnsafePointer<CChar> {
    precondition(CStrings.size(text) <= capacity - used)
    let start = memory + used
    for (index, byte) in text.utf8.enumerated() { start[index] = CChar(bitPattern: byte) }
    start[text.utf8.count] = 0
    used += CStrings.size(text)
    return UnsafePointer(start)
  }
}
