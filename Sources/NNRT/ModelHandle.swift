import CNNRT
import CPlatform
import NNFormat
import NNGraph
import NNRuntime

/// What an `nnrt_model *` points to: the model, and what C programs are told about it in the form C takes.
final class ModelHandle {
  let model: Model
  let inputs: UnsafeBufferPointer<nnrt_tensor_info>
  let outputs: UnsafeBufferPointer<nnrt_tensor_info>
  let metadata: UnsafeBufferPointer<Entry>
  private let answers: Answers

  typealias Entry = (key: UnsafePointer<CChar>, value: UnsafePointer<CChar>)

  /// - Throws: ``ErrorCode/outOfMemory``.
  init(_ model: Model) throws(NNError) {
    let graph = model.graph
    let entries = model.metadata.entries
    var size = 0
    for symbol in graph.symbols { size += Answers.size(symbol) }
    for id in graph.inputs { size += Answers.size(graph[id].name) }
    for id in graph.outputs { size += Answers.size(graph[id].name) }
    for entry in entries { size += Answers.size(entry.key) + Answers.size(entry.value) }
    size += Answers.size(nnrt_tensor_info.self, graph.inputs.count + graph.outputs.count)
    size += Answers.size(Entry.self, entries.count)
    size += Answers.size(UnsafePointer<CChar>.self, graph.symbols.count)
    let answers = try Answers(capacity: size)

    let inputs = answers.array(of: nnrt_tensor_info.self, graph.inputs.count)
    let outputs = answers.array(of: nnrt_tensor_info.self, graph.outputs.count)
    let metadata = answers.array(of: Entry.self, entries.count)
    let symbols = answers.array(of: UnsafePointer<CChar>.self, graph.symbols.count)
    for index in 0..<symbols.count {
      symbols.initializeElement(at: index, to: answers.add(graph.symbols[index]))
    }
    for index in 0..<metadata.count {
      metadata.initializeElement(
        at: index, to: (answers.add(entries[index].key), answers.add(entries[index].value)))
    }
    for index in 0..<inputs.count {
      inputs.initializeElement(at: index, to: describe(graph[graph.inputs[index]], symbols, answers))
    }
    for index in 0..<outputs.count {
      outputs.initializeElement(at: index, to: describe(graph[graph.outputs[index]], symbols, answers))
    }

    self.model = model
    self.inputs = UnsafeBufferPointer(inputs)
    self.outputs = UnsafeBufferPointer(outputs)
    self.metadata = UnsafeBufferPointer(metadata)
    self.answers = answers
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

private func describe(
  _ value: Value, _ symbols: UnsafeMutableBufferPointer<UnsafePointer<CChar>>, _ answers: Answers
) -> nnrt_tensor_info {
  var info = nnrt_tensor_info()
  info.name = answers.add(value.name)
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

/// Arrays and then texts that end with NUL, in one piece of memory.
///
/// No `Array`s: each type of elements costs the library 170 bytes of metadata, for every other type that this module uses too.
final class Answers {
  private let memory: UnsafeMutableRawPointer
  private let capacity: Int
  private var used = 0

  /// - Throws: ``ErrorCode/outOfMemory``.
  init(capacity: Int) throws(NNError) {
    guard let bytes = nnp_allocate(capacity) else {
      throw NNError(.outOfMemory, "\(capacity) bytes to describe the model could not be allocated")
    }
    self.memory = bytes
    self.capacity = capacity
  }

  deinit { nnp_free(memory) }

  /// The bytes `text` takes here.
  static func size(_ text: Name) -> Int { text.utf8.count + 1 }

  /// The bytes an array takes here.
  static func size<Element>(_: Element.Type, _ count: Int) -> Int { count * MemoryLayout<Element>.stride }

  /// Room for an array of what needs no more than eight bytes' alignment. Arrays come before texts; all together must fit the capacity.
  func array<Element>(of _: Element.Type, _ count: Int) -> UnsafeMutableBufferPointer<Element> {
    precondition(used % 8 == 0 && Answers.size(Element.self, count) <= capacity - used)
    let start = (memory + used).assumingMemoryBound(to: Element.self)
    used += Answers.size(Element.self, count)
    return UnsafeMutableBufferPointer(start: start, count: count)
  }

  /// A copy of `text`. All together must fit the capacity.
  func add(_ text: Name) -> UnsafePointer<CChar> {
    precondition(Answers.size(text) <= capacity - used)
    let start = (memory + used).assumingMemoryBound(to: CChar.self)
    for (index, byte) in text.utf8.enumerated() { start[index] = CChar(bitPattern: byte) }
    start[text.utf8.count] = 0
    used += Answers.size(text)
    return UnsafePointer(start)
  }
}
