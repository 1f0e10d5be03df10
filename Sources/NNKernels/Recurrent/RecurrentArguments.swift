// The arguments of one step of a recurrence (see `Recurrent`). H is `units`; blocks of H columns lie side by side in a row.

/// Work units: rows, which are the samples.
public struct RecurrentStepArguments {
  /// R·hₜ₋₁, and for the gated recurrent unit R·hₜ₋₁ + c, (rows, gates·H). Overwritten with anything.
  public var gates: UnsafeMutablePointer<Float>
  /// pₜ, (rows, gates·H), rows `projectedStride` apart.
  public var projected: UnsafePointer<Float>
  public var projectedStride: Int
  /// The state (rows, H) before the step, overwritten with the one after it; `cell` is the long short-term memory's c.
  public var hidden: UnsafeMutablePointer<Float>
  public var cell: UnsafeMutablePointer<Float>
  /// The state after the step, h then c, and with `keepsSlopes` the slopes behind it; rows `outStride` apart.
  public var out: UnsafeMutablePointer<Float>
  public var outStride: Int
  public var keepsSlopes: Bool
  /// 0 for a row whose state stays as it is and whose slopes are 0; rows `maskStride` apart. nil for none.
  public var mask: UnsafePointer<UInt8>?
  public var maskStride: Int
  public var units: Int

  @inlinable public init(
    gates: UnsafeMutablePointer<Float>, projected: UnsafePointer<Float>, projectedStride: Int,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>,
    outStride: Int, keepsSlopes: Bool, mask: UnsafePointer<UInt8>?, maskStride: Int, units: Int
  ) {
    self.gates = gates
    self.projected = projected
    self.projectedStride = projectedStride
    self.hidden = hidden
    self.cell = cell
    self.out = out
    self.outStride = outStride
    self.keepsSlopes = keepsSlopes
    self.mask = mask
    self.maskStride = maskStride
    self.units = units
  }

  /// Whether the mask lets a row pass.
  @inlinable @inline(__always)
  func counts(_ row: Int) -> Bool {
    guard let mask else { return true }
    return mask[row &* maskStride] != 0
  }
}

/// The gradient of one step. Work units: rows.
public struct RecurrentGradientStepArguments {
  /// The step's slopes, rows `slopesStride` apart.
  public var slopes: UnsafePointer<Float>
  public var slopesStride: Int
  /// The gradient that arrives at the step's h, and behind it at its c if `hasCell`; rows `dyStride` apart. nil for none.
  public var dy: UnsafePointer<Float>?
  public var dyStride: Int
  public var hasCell: Bool
  /// The gradient of the state after the step, (rows, H) each, overwritten with what of it reaches the state before the step other
  /// than through R.
  public var hidden: UnsafeMutablePointer<Float>
  public var cell: UnsafeMutablePointer<Float>
  /// The gradient of R·hₜ₋₁, (rows, gates·H).
  public var gates: UnsafeMutablePointer<Float>
  /// The same in the result, rows `outStride` apart, and for the gated recurrent unit the gradient of pₜ's n behind it. nil where
  /// nobody wants it.
  public var out: UnsafeMutablePointer<Float>?
  public var outStride: Int
  /// As in ``RecurrentStepArguments``.
  public var mask: UnsafePointer<UInt8>?
  public var maskStride: Int
  public var units: Int

  @inlinable public init(
    slopes: UnsafePointer<Float>, slopesStride: Int, dy: UnsafePointer<Float>?, dyStride: Int, hasCell: Bool,
    hidden: UnsafeMutablePointer<Float>, cell: UnsafeMutablePointer<Float>,
    gates: UnsafeMutablePointer<Float>, out: UnsafeMutablePointer<Float>?, outStride: Int,
    mask: UnsafePointer<UInt8>?, maskStride: Int, units: Int
  ) {
    self.slopes = slopes
    self.slopesStride = slopesStride
    self.dy = dy
    self.dyStride = dyStride
    self.hasCell = hasCell
    self.hidden = hidden
    self.cell = cell
    self.gates = gates
    self.out = out
    self.outStride = outStride
    self.mask = mask
    self.maskStride = maskStride
    self.units = units
  }

  /// Whether the mask lets a row pass.
  @inlinable @inline(__always)
  func counts(_ row: Int) -> Bool {
    guard let mask else { return true }
    return mask[row &* maskStride] != 0
  }
}
