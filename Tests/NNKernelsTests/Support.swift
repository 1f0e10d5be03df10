import CPlatform
import NNGraph
import NNKernels
import NNKernelsBaseline
import NNKernelsX86V3
import NNKernelsX86V4
import Testing

/// The kernels' argument; the graph's attribute has the same name.
typealias Window = NNKernels.Window

/// Every table this machine can run, the baseline first.
let tables: [KernelTable] = {
  var tables = [Baseline.kernels]
  #if arch(x86_64)
    if nnp_cpu_has_x86_v3() != 0 { tables.append(X86V3.kernels) }
    if nnp_cpu_has_x86_v4() != 0 { tables.append(X86V3.kernels.replacing(X86V4.kernels)) }
  #endif
  return tables
}()

/// SplitMix64 (Steele et al. 2014): the same numbers on every run.
struct Generator: RandomNumberGenerator {
  var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }

  mutating func float(_ range: ClosedRange<Float> = -2...2) -> Float { Float.random(in: range, using: &self) }

  mutating func floats(_ count: Int, _ range: ClosedRange<Float> = -2...2) -> [Float] {
    (0..<count).map { _ in float(range) }
  }

  /// Ordinary numbers with every kind of special one among them.
  mutating func wildFloats(_ count: Int) -> [Float] {
    let special: [Float] = [
      0, -0.0, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0x1p-130,
      .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1, -1,
    ]
    return (0..<count).map { _ in
      int(0...5) == 0 ? special[int(0...special.count - 1)] : float()
    }
  }

  mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// The same number in every bit, any NaN being the same as any other.
func isSame(_ a: Float, _ b: Float) -> Bool { a.bitPattern == b.bitPattern || (a.isNaN && b.isNaN) }

func isSame(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
}

/// Memory with guards on both sides that a kernel must not touch.
func withGuarded<T: BitwiseCopyable & Equatable>(_ values: [T], _ body: (UnsafeMutablePointer<T>) -> Void)
  -> [T]
{
  let margin = 64
  let guardByte: UInt8 = 0xa5
  let size = values.count * MemoryLayout<T>.stride
  let raw = UnsafeMutableRawPointer.allocate(byteCount: size + 2 * margin, alignment: 64)
  defer { raw.deallocate() }
  memset(raw, Int32(guardByte), size + 2 * margin)
  let typed = (raw + margin).bindMemory(to: T.self, capacity: values.count)
  for i in 0..<values.count { typed[i] = values[i] }
  body(typed)
  let bytes = raw.assumingMemoryBound(to: UInt8.self)
  let isUntouched = (0..<margin).allSatisfy {
    bytes[$0] == guardByte && bytes[margin + size + $0] == guardByte
  }
  #expect(isUntouched, "memory around the output was written")
  return (0..<values.count).map { typed[$0] }
}

/// Splits 0 ..< units into random consecutive ranges, in random order.
func randomSplit(_ units: Int, _ generator: inout Generator) -> [Range<Int>] {
  var ranges: [Range<Int>] = []
  var begin = 0
  while begin < units {
    let end = min(units, begin + generator.int(1...max(1, units / 2)))
    ranges.append(begin..<end)
    begin = end
  }
  return ranges.shuffled(using: &generator)
}

/// What `run` writes over `initial`, after checking that every table gives the same bits for the whole range and for any
/// split of it.
func identicalOutput(
  units: Int, initial: [Float], seed: UInt64 = 1, _ location: SourceLocation = #_sourceLocation,
  _ run: (KernelTable, UnsafeMutablePointer<Float>, Range<Int>) -> Void
) -> [Float] {
  var generator = Generator(seed)
  var first: [Float] = []
  for table in tables {
    let whole = withGuarded(initial) { run(table, $0, 0..<units) }
    let ranges = randomSplit(units, &generator)
    let split = withGuarded(initial) { output in
      for range in ranges { run(table, output, range) }
    }
    #expect(isSame(whole, split), "\(table.name) depends on the split \(ranges)", sourceLocation: location)
    if first.isEmpty {
      first = whole
    } else {
      #expect(isSame(whole, first), "\(table.name) differs from the baseline", sourceLocation: location)
    }
  }
  return first
}

/// Temporary 64-byte aligned memory.
func withScratch<Result>(_ size: Int, _ body: (UnsafeMutableRawPointer) -> Result) -> Result {
  let raw = UnsafeMutableRawPointer.allocate(byteCount: max(64, size), alignment: 64)
  // Left-overs of another call must not matter.
  memset(raw, 0xff, max(64, size))
  defer { raw.deallocate() }
  return body(raw)
}

func fusedMultiplyAddOfBaseline(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { Baseline.fma(a, b, c) }
