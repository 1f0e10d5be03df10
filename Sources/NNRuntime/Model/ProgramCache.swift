import NNGraph

/// A program with the input extents it was made for.
final class CachedProgram {
  let program: Program
  private let inputExtents: [[Int]]
  /// All outputs' extents after the latest run, one after the other, at an address that stays until the next.
  private var extents: UnsafeMutableBufferPointer<Int>
  private var offsets: [Int] = []

  init(_ program: Program, _ inputs: [SessionInput]) {
    self.program = program
    inputExtents = inputs.map { $0.extents }
    extents = UnsafeMutableBufferPointer<Int>.allocate(capacity: 1)
  }

  deinit { extents.deallocate() }

  /// - Throws: as ``Program/run()``.
  func run() throws(NNError) {
    try program.run()
    if offsets.isEmpty || program.mayChangeExtents { noteExtents() }
  }

  private func noteExtents() {
    var all: [Int] = []
    offsets = [0]
    for index in program.graph.outputs.indices {
      all += program.output(index).type.shape.extents ?? []
      offsets.append(all.count)
    }
    extents.deallocate()
    extents = UnsafeMutableBufferPointer<Int>.allocate(capacity: max(all.count, 1))
    for (position, extent) in all.enumerated() { extents[position] = extent }
  }

  /// What the latest run computed.
  func output(_ index: Int) -> TensorView {
    let (type, bytes) = program.output(index)
    return TensorView(
      dtype: type.dtype,
      extents: UnsafeBufferPointer(rebasing: extents[offsets[index]..<offsets[index + 1]]), bytes: bytes)
  }

  func fits(_ inputs: [SessionInput]) -> Bool {
    for index in inputs.indices where inputs[index].extents != inputExtents[index] { return false }
    return true
  }
}

/// The programs for the shapes a session saw last.
struct ProgramCache {
  private static let capacity = 8
  /// Latest used last.
  private var programs: [CachedProgram] = []

  /// The program for these inputs' extents, if it was made before.
  mutating func find(_ inputs: [SessionInput]) -> CachedProgram? {
    guard let latest = programs.last else { return nil }
    if latest.fits(inputs) { return latest }
    for position in programs.indices where programs[position].fits(inputs) {
      programs.swapAt(position, programs.count - 1)
      return programs[programs.count - 1]
    }
    return nil
  }

  mutating func insert(_ program: CachedProgram) {
    if programs.count == ProgramCache.capacity { programs.removeFirst() }
    programs.append(program)
  }

  mutating func removeAll() { programs.removeAll() }
}
