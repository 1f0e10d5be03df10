import CPlatform

/// dW of a convolution: dW[m, c, tap] = Σ over n and positions p of dy[n, m, p]·x[n, c, p under tap].
///
/// x is (N, C, H, W), dy (N, M, oH, oW), result (M, C/groups, kH, kW); all contiguous. Each result starts at +0 and takes fused
/// multiply–adds over n, then positions in row-major order, taps in the padding as zeros. Where ``algorithm`` is Winograd's, the sum
/// of each frequency takes them over n, then tiles in row-major order, between the transforms of ``WinogradTile``.
///
/// Work units: ``workUnits``. Scratch of one call: ``scratchSize`` bytes.
public struct ConvolutionWeightGradientArguments {
  public var x: UnsafePointer<Float>
  public var dy: UnsafePointer<Float>
  public var result: UnsafeMutablePointer<Float>
  public var window: Window
  public var batch: Int
  public var channels: Int
  public var height: Int
  public var width: Int
  public var outputChannels: Int
  public var groups: Int
  public var outputHeight: Int
  public var outputWidth: Int

  public init(
    x: UnsafePointer<Float>, dy: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, window: Window,
    batch: Int, channels: Int, height: Int, width: Int, outputChannels: Int, groups: Int
  ) {
    self.x = x
    self.dy = dy
    self.result = result
    self.window = window
    self.batch = batch
    self.channels = channels
    self.height = height
    self.width = width
    self.outputChannels = outputChannels
    self.groups = groups
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

// Both operands are laid out so that one step over positions is one step in memory: x with its padding, and dy with zeros where the
// window of a position would reach past a row's end. Then each tap is one plain product over all positions of an image.
extension ConvolutionWeightGradientArguments {
  /// Channels of a group that one unit takes.
  private static let channelsPerUnit = 48
  /// What sizes are clamped to: more than any memory.
  private static let absurd = 1 << 52

  private func product(_ a: Int, _ b: Int) -> Int {
    let (result, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow ? Self.absurd : min(result, Self.absurd)
  }

  private var groupChannels: Int { channels / groups }
  private var groupOutputs: Int { outputChannels / groups }
  private var taps: Int { window.kernelHeight &* window.kernelWidth }
  private var unitsPerGroup: Int { (groupChannels &+ Self.channelsPerUnit &- 1) / Self.channelsPerUnit }
  private var unitChannels: Int { min(groupChannels, Self.channelsPerUnit) }

  /// Columns past a row's end that windows read.
  private var rightReach: Int {
    let reach = window.dilationWidth &* (window.kernelWidth &- 1) &+ 1
    return max(0, product(outputWidth &- 1, window.strideWidth) &+ reach &- window.padLeft &- width)
  }

  /// From one padded row to the next: the zeros behind a row are those in front of the next one. A multiple of the stride, so that
  /// rows are whole steps apart, and no fewer steps than a row has positions.
  private var pitch: Int {
    let stride = window.strideWidth
    let needed = max(
      width &+ max(window.padLeft, rightReach),
      (product(outputWidth, stride) &+ window.strideHeight &- 1) / window.strideHeight)
    return (max(1, needed) &+ stride &- 1) / stride &* stride
  }

  /// Steps from one row of positions to the next.
  private var rowSteps: Int { product(window.strideHeight, pitch) / window.strideWidth }

  /// Steps over all positions of an image.
  private var steps: Int { product(outputHeight &- 1, rowSteps) &+ outputWidth }

  private var paddedHeight: Int {
    product(outputHeight &- 1, window.strideHeight) &+ window.dilationHeight &* (window.kernelHeight &- 1)
      &+ 1
  }

  /// Padded elements of one channel; a whole number of cache lines.
  private var planeSize: Int {
    (product(paddedHeight, pitch) &+ window.padLeft &+ rightReach &+ 15) / 16 &* 16
  }

  /// Elements of dy's panels, and of the results before they are turned.
  private var panelsSize: Int { product(Panels.count(columns: groupOutputs) &* 16, max(1, steps)) }
  private var sumsSize: Int { product(product(unitChannels, taps), groupOutputs) }

  public var algorithm: ConvolutionAlgorithm {
    @inline(never) @export(interface) get {
      ConvolutionAlgorithm(
        window, channels: channels, filters: outputChannels, groups: groups, outputHeight: outputHeight,
        outputWidth: outputWidth
      ).ofWeightGradient
    }
  }

  /// How many units the work has.
  public var workUnits: Int {
    if case .winograd = algorithm { return winogradUnits() }
    return groups &* unitsPerGroup
  }

  /// Bytes of scratch one thread needs.
  public var scratchSize: Int {
    if outputHeight == 0 || outputWidth == 0 { return 0 }
    if case .winograd(let tile) = algorithm { return winogradScratch(tile) &* 4 }
    return product(product(unitChannels, planeSize) &+ panelsSize &+ sumsSize, 4)
  }

  /// Computes some units with the products of an instruction set, one product for each tap.
  @inline(never) @export(interface)
  public func run(
    _ scratch: UnsafeMutableRawPointer, _ units: Range<Int>, _ multiply: (ProductBlock) -> Void
  ) {
    var unit = units.lowerBound
    while unit < units.upperBound {
      let group = unit / unitsPerGroup
      let first = unit % unitsPerGroup &* Self.channelsPerUnit
      let count = min(Self.channelsPerUnit, groupChannels &- first)
      run(scratch.assumingMemoryBound(to: Float.self), group, first, count, multiply)
      unit &+= 1
    }
  }

  private func run(
    _ scratch: UnsafeMutablePointer<Float>, _ group: Int, _ first: Int, _ count: Int,
    _ multiply: (ProductBlock) -> Void
  ) {
    let target = result + group &* groupOutputs &* groupChannels &* taps
    guard outputHeight > 0, outputWidth > 0 else {
      var m = 0
      while m < groupOutputs {
        nnp_clear(target + (m &* groupChannels &+ first) &* taps, count &* taps)
        m &+= 1
      }
      return
    }
    let panels = scratch + unitChannels &* planeSize
    let sums = panels + panelsSize
    nnp_clear(scratch, unitChannels &* planeSize &+ panelsSize)
    nnp_clear(sums, count &* taps &* groupOutputs)
    var n = 0
    while n < batch {
      var c = 0
      while c < count {
        let channel = n &* channels &+ group &* groupChannels &+ first &+ c
        pad(x + channel &* height &* width, scratch + c &* planeSize)
        c &+= 1
      }
      packGradient(n, group, panels)
      addProducts(UnsafePointer(scratch), UnsafePointer(panels), sums, count, multiply)
      n &+= 1
    }
    turn(UnsafePointer(sums), target + first &* taps, count)
  }

  /// One channel's image into its place, whose border stays zero.
  private func pad(_ plane: UnsafePointer<Float>, _ padded: UnsafeMutablePointer<Float>) {
    let rows = min(height, paddedHeight &- window.padTop)
    var row = 0
    while row < rows {
      nnp_copy(padded + ((row &+ window.padTop) &* pitch &+ window.padLeft), plane + row &* width, width)
      row &+= 1
    }
  }

  /// dy of an image and group, (positions, outputs), into panels; the steps between rows stay zero.
  private func packGradient(_ n: Int, _ group: Int, _ panels: UnsafeMutablePointer<Float>) {
    let positions = outputHeight &* outputWidth
    let source = dy + (n &* outputChannels &+ group &* groupOutputs) &* positions
    var row = 0
    while row < outputHeight {
      Panels.packTransposed(
        source + row &* outputWidth, k: outputWidth, columns: groupOutputs, rowStride: positions,
        into: panels + row &* rowSteps &* 16, range: 0..<Panels.count(columns: groupOutputs),
        panelStride: steps &* 16)
      row &+= 1
    }
  }

  /// Adds one image's products to sums (channel, tap, output). Rows of a product are the channels, or the taps of a kernel's row where
  /// these are more.
  private func addProducts(
    _ padded: UnsafePointer<Float>, _ panels: UnsafePointer<Float>, _ sums: UnsafeMutablePointer<Float>,
    _ count: Int, _ multiply: (ProductBlock) -> Void
  ) {
    func add(
      _ a: UnsafePointer<Float>, _ stride: Int, _ c: UnsafeMutablePointer<Float>, _ cStride: Int, _ rows: Int
    ) {
      multiply(
        ProductBlock(
          a: a, aStride: stride, aStep: window.strideWidth, panels: panels, panelStride: steps &* 16, c: c,
          cStride: cStride, columnBias: nil, rowBias: nil, rows: rows, columns: groupOutputs, k: steps,
          accumulates: true))
    }
    var kernelRow = 0
    while kernelRow < window.kernelHeight {
      let rowStart = padded + kernelRow &* window.dilationHeight &* pitch
      let tap = kernelRow &* window.kernelWidth
      if count >= window.kernelWidth {
        var column = 0
        while column < window.kernelWidth {
          add(
            rowStart + column &* window.dilationWidth, planeSize, sums + (tap &+ column) &* groupOutputs,
            taps &* groupOutputs, count)
          column &+= 1
        }
      } else {
        var c = 0
        while c < count {
          add(
            rowStart + c &* planeSize, window.dilationWidth, sums + (c &* taps &+ tap) &* groupOutputs,
            groupOutputs,
            window.kernelWidth)
          c &+= 1
        }
      }
      kernelRow &+= 1
    }
  }

  /// sums (channel, tap, output) into results (output, channel, tap).
  private func turn(_ sums: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ count: Int) {
    let rows = count &* taps
    var m = 0
    while m < groupOutputs {
      let line = target + m &* groupChannels &* taps
      var row = 0
      while row < rows {
        line[row] = sums[row &* groupOutputs &+ m]
        row &+= 1
      }
      m &+= 1
    }
  }
}
