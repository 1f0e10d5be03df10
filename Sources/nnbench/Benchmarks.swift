import CPlatform
import Foundation
import NNGraph
import NNKernels

/// What the core can do at most.
struct Peak {
  /// GFLOP/s of a register-only loop; nil where there is no loop for the processor.
  var gigaflops: Double?

  init(_ instructionSet: String) {
    #if arch(x86_64)
      let iterations = 1_000_000
      var lanes = 0.0
      var seconds = 1.0
      var sink: Float = 0
      if instructionSet == "v4" {
        lanes = 16
        seconds = secondsPerCall { sink += nnp_peak_v4(iterations) }
      } else if instructionSet == "v3" {
        lanes = 8
        seconds = secondsPerCall { sink += nnp_peak_v3(iterations) }
      }
      gigaflops = lanes > 0 && sink.isFinite ? 2 * 12 * lanes * Double(iterations) / seconds * 1e-9 : nil
    #endif
  }

  func share(_ value: Double) -> Double? { gigaflops.map { value / $0 } }
}

/// Reading and copying far more than the caches hold.
func memoryResults(_ table: KernelTable) -> [Result] {
  let count = 48 << 20
  let x = randomFloats(count)
  let y = randomFloats(count)
  let layout = ReduceLayout(shape: [count], isReduced: [true])!
  var sum: Float = 0
  let read = secondsPerCall(rounds: 5) {
    withUnsafeMutablePointer(to: &sum) {
      table.reduce(.sum)(ReduceArguments(x: x, y: $0, layout: layout), 0..<1)
    }
  }
  let copied = secondsPerCall(rounds: 5) { memcpy(y, x, count * 4) }
  x.deallocate()
  y.deallocate()
  let bytes = Double(count) * 4e-9
  return [
    Result(group: "memory", name: "read", value: bytes / read, unit: "GB/s"),
    Result(group: "memory", name: "copy (read and write)", value: 2 * bytes / copied, unit: "GB/s"),
  ]
}

func matmulResult(_ table: KernelTable, _ peak: Peak, m: Int, n: Int, k: Int) -> Result {
  let size = Panels.size(k: k, columns: n)
  let a = randomFloats(m * k)
  let b = randomFloats(size)
  let c = randomFloats(m * n)
  let arguments = MatmulArguments(a: a, panels: b, c: c, m: m, n: n, k: k)
  let units = arguments.workUnits
  let seconds = secondsPerCall { table.matmul(arguments, 0..<units) }
  a.deallocate()
  b.deallocate()
  c.deallocate()
  let value = 2e-9 * Double(m) * Double(n) * Double(k) / seconds
  return Result(
    group: "matmul", name: "matmul \(m) x \(n) x \(k)", value: value, unit: "GFLOP/s",
    shareOfPeak: peak.share(value))
}

/// A square image, a square kernel, padding that keeps the size at stride 1. Operations are counted as those of the plain sum of
/// products, whatever the algorithm: Winograd's may be above the peak.
func convolutionResult(
  _ table: KernelTable, _ peak: Peak, channels: Int, size: Int, outputs: Int, kernel: Int, stride: Int,
  groups: Int
) -> Result {
  let pad = kernel / 2
  let window = NNKernels.Window(
    kernel: (kernel, kernel), stride: (stride, stride), padding: (pad, pad, pad, pad))
  let pixels = window.outputHeight(size) * window.outputWidth(size)
  let taps = channels / groups * kernel * kernel
  let x = randomFloats(channels * size * size)
  let weights = randomFloats(outputs * taps)
  let y = randomFloats(outputs * pixels)
  var arguments = ConvolutionArguments(
    x: x, weights: weights, bias: nil, y: y, window: window, batch: 1, channels: channels, height: size,
    width: size, outputChannels: outputs, groups: groups)
  let scratch = UnsafeMutableRawPointer.allocate(byteCount: max(64, arguments.scratchSize), alignment: 64)
  // Once per plan if the weights are constant, so not counted.
  let transformed = UnsafeMutablePointer<Float>.allocate(capacity: max(1, arguments.transformedWeightsSize))
  if case .winograd(let tile) = arguments.algorithm {
    let weights = WinogradWeightsArguments(
      weights: weights, transformed: transformed, tile: tile, filters: outputs, channels: channels)
    table.winogradWeights(weights, 0..<weights.workUnits)
    arguments.transformedWeights = UnsafePointer(transformed)
  }
  let ready = arguments
  let units = ready.workUnits
  let seconds = secondsPerCall { table.convolution(ready, scratch, 0..<units) }
  transformed.deallocate()
  scratch.deallocate()
  x.deallocate()
  weights.deallocate()
  y.deallocate()
  let value = 2e-9 * Double(outputs) * Double(pixels) * Double(taps) / seconds
  let name = "conv \(channels)x\(size)x\(size) to \(outputs), \(kernel)x\(kernel)/\(stride), groups \(groups)"
  return Result(
    group: "convolution", name: name, value: value, unit: "GFLOP/s", shareOfPeak: peak.share(value))
}

/// Elements of a unary function per second, in the first-level cache.
func unaryResult(_ table: KernelTable, _ function: UnaryFunction) -> Result {
  let count = 2048
  let x = randomFloats(count)
  let y = randomFloats(count)
  let kernel = table.unary(function)
  let seconds = secondsPerCall { kernel(x, y, count, 0.01, 1) }
  x.deallocate()
  y.deallocate()
  return Result(
    group: "unary", name: "\(function)", value: seconds / Double(count) * 1e9, unit: "ns per element")
}

func softmaxResult(_ table: KernelTable, rows: Int, columns: Int) -> Result {
  let x = randomFloats(rows * columns)
  let y = randomFloats(rows * columns)
  let kernel = table.softmax(.softmax)
  let arguments = SoftmaxArguments(x: x, y: y, outer: rows, axis: columns, inner: 1)
  let seconds = secondsPerCall { kernel(arguments, 0..<rows) }
  x.deallocate()
  y.deallocate()
  return Result(
    group: "softmax", name: "softmax \(rows) x \(columns)", value: seconds / Double(rows * columns) * 1e9,
    unit: "ns per element")
}
