import CPlatform
import NNGraph

/// A loop while it runs.
struct LoopRun {
  private(set) var iteration = 0
  private(set) var carried: [Tensor] = []
  private(set) var scans: [Scan] = []
  private let limit: Int64
  private var condition: Bool
  private let captures: [TensorBytes]
  /// The program of the iteration before, which has the captures already.
  private var latest: Program?

  init(_ inputs: [TensorBytes], carried count: Int, scanned: Int, memoryLimit: Int) throws(NNError) {
    limit = inputs[0].integer
    condition = inputs[1].flag
    for input in inputs[2..<(2 + count)] { carried.append(try Tensor(copying: input.bytes, as: input.type)) }
    captures = Array(inputs[(2 + count)...])
    for _ in 0..<scanned { scans.append(Scan(limit: memoryLimit)) }
  }

  var goesOn: Bool { condition && Int64(iteration) < limit }

  /// One iteration.
  mutating func step(_ body: BodyPrograms) throws(NNError) {
    let program = try body.program(for: inputs(of: body))
    program.input(0).storeBytes(of: Int64(iteration), as: Int64.self)
    program.input(1).storeBytes(of: condition ? 1 : 0, as: UInt8.self)
    for (position, value) in carried.enumerated() { program.set(2 + position, value.bytes) }
    if program !== latest {
      for (position, value) in captures.enumerated() {
        program.set(2 + carried.count + position, value.bytes)
      }
      latest = program
    }
    try program.run()
    condition = TensorBytes(program.output(0).type, program.output(0).bytes).flag
    let count = carried.count
    var next: [Tensor] = []
    for position in 0..<count {
      let (type, bytes) = program.output(1 + position)
      next.append(try Tensor(copying: bytes, as: type))
    }
    carried = next
    for position in scans.indices {
      let (type, bytes) = program.output(1 + count + position)
      do throws(NNError) {
        try scans[position].append(type, bytes)
      } catch {
        throw error.within("result \(count + position)")
      }
    }
    iteration += 1
  }

  private func inputs(of body: BodyPrograms) -> [TensorBytes] {
    let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
    var inputs = [
      TensorBytes(TensorType(.i64, body.oneElement(0)), nothing),
      TensorBytes(TensorType(.bool, body.oneElement(1)), nothing),
    ]
    for value in carried { inputs.append(TensorBytes(value.type, value.bytes)) }
    return inputs + captures
  }

  /// The elements that a further result of the body had so far, one after the other.
  struct Scan {
    /// Extents of one iteration's result; nil before the first.
    private(set) var extents: [Int]?
    private var memory: AlignedMemory?
    private var size = 0
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory?.base, count: size) }

    mutating func append(_ type: TensorType, _ next: UnsafeRawBufferPointer) throws(NNError) {
      let given = type.shape.extents ?? []
      if let extents, extents != given {
        throw NNError(
          .shapeMismatch,
          "is \(Shape(extents).description) after one iteration and \(type.shape.description) after another")
      }
      extents = given
      guard let source = next.baseAddress, next.count > 0 else { return }
      let needed = size + next.count
      guard needed <= limit else {
        throw NNError(.limitExceeded, "\(needed) bytes of all iterations, the limit is \(limit)")
      }
      if memory == nil || needed > memory!.size {
        let grown = try AlignedMemory(size: 2 * needed, purpose: "the results of a loop")
        if let memory { memcpy(grown.base, memory.base, size) }
        memory = grown
      }
      memcpy(memory!.base + size, source, next.count)
      size = needed
    }
  }
}

extension BodyPrograms {
  /// The extents of input `index`, which has one element.
  fileprivate func oneElement(_ index: Int) -> Shape {
    Shape([Int](repeating: 1, count: inputRank(index)))
  }
}
