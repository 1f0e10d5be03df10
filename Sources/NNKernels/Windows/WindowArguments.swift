// How windows slide over images, and the arguments of what is done with them besides products.

/// How a window slides over the last two axes of (N, C, H, W).
public struct Window {
  public var kernelHeight: Int
  public var kernelWidth: Int
  public var strideHeight: Int
  public var strideWidth: Int
  public var dilationHeight: Int
  public var dilationWidth: Int
  public var padTop: Int
  public var padLeft: Int
  public var padBottom: Int
  public var padRight: Int

  @inlinable public init(
    kernel: (Int, Int), stride: (Int, Int) = (1, 1), dilation: (Int, Int) = (1, 1),
    padding: (top: Int, left: Int, bottom: Int, right: Int) = (0, 0, 0, 0)
  ) {
    kernelHeight = kernel.0
    kernelWidth = kernel.1
    strideHeight = stride.0
    strideWidth = stride.1
    dilationHeight = dilation.0
    dilationWidth = dilation.1
    padTop = padding.top
    padLeft = padding.left
    padBottom = padding.bottom
    padRight = padding.right
  }

  /// ⌊(H + pads − dilation·(kernel − 1) − 1)/stride⌋ + 1, or 0 if the window does not fit.
  @inlinable public func outputHeight(_ height: Int) -> Int {
    let room = height &+ padTop &+ padBottom &- dilationHeight &* (kernelHeight &- 1) &- 1
    return room < 0 ? 0 : room / strideHeight &+ 1
  }

  /// As ``outputHeight(_:)``, of the width.
  @inlinable public func outputWidth(_ width: Int) -> Int {
    let room = width &+ padLeft &+ padRight &- dilationWidth &* (kernelWidth &- 1) &- 1
    return room < 0 ? 0 : room / strideWidth &+ 1
  }
}

/// y = pooling of x. x is (planes, H, W), y (planes, oH, oW), planes = N·C. Work units: planes.
public struct PoolArguments {
  public var x: UnsafePointer<Float>
  public var y: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int
  /// Average pooling divides by the whole window, padding included, instead of by the taps inside the image.
  public var countIncludesPadding: Bool

  /// The output's height and width follow from the window, whose dilation is 1.
  @inlinable public init(
    x: UnsafePointer<Float>, y: UnsafeMutablePointer<Float>, window: Window, planes: Int, height: Int,
    width: Int, countIncludesPadding: Bool = false
  ) {
    self.x = x
    self.y = y
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    self.countIncludesPadding = countIncludesPadding
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

/// dx from dy of a pooling; shapes as in ``PoolArguments``, dy as y and dx as x (overwritten). Work units: planes.
///
/// Maximum pooling gives dy to the first maximum of its window (NaN counts as maximum); average pooling spreads it.
public struct PoolGradientArguments {
  /// Read by maximum pooling only.
  public var x: UnsafePointer<Float>?
  public var dy: UnsafePointer<Float>
  public var dx: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int
  /// As in ``PoolArguments/countIncludesPadding``.
  public var countIncludesPadding: Bool

  /// The output's height and width follow from the window, whose dilation is 1.
  @inlinable public init(
    x: UnsafePointer<Float>?, dy: UnsafePointer<Float>, dx: UnsafeMutablePointer<Float>, window: Window,
    planes: Int, height: Int, width: Int, countIncludesPadding: Bool = false
  ) {
    self.x = x
    self.dy = dy
    self.dx = dx
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    self.countIncludesPadding = countIncludesPadding
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}

/// Columns of windows: unfold gives `out` (N·C, kH·kW, oH·oW) from `input` (N·C, H, W), zeros where a tap is in the
/// padding; fold is its adjoint, `out` (N·C, H, W) overwritten with the sums of `input` (N·C, kH·kW, oH·oW), taps
/// ascending. Work units: planes = N·C.
public struct UnfoldArguments {
  public var input: UnsafePointer<Float>
  public var out: UnsafeMutablePointer<Float>
  public var window: Window
  public var planes: Int
  public var height: Int
  public var width: Int
  public var outputHeight: Int
  public var outputWidth: Int

  /// `height` and `width` are the image's; the number of windows follows.
  @inlinable public init(
    input: UnsafePointer<Float>, out: UnsafeMutablePointer<Float>, window: Window, planes: Int, height: Int,
    width: Int
  ) {
    self.input = input
    self.out = out
    self.window = window
    self.planes = planes
    self.height = height
    self.width = width
    outputHeight = window.outputHeight(height)
    outputWidth = window.outputWidth(width)
  }
}
