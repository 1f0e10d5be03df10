import CPlatform

// Rounding to integers without the instructions that the baseline lacks.

/// The nearest integer, ties to even; the sign of zero is kept.
@inlinable @inline(__always)
func roundedToEven(_ x: Vector) -> Vector {
  let a = magnitude(x)
  // From 2²³ on floats are integers; below, adding it rounds the fraction away.
  let limit = nnp_splat(8_388_608)
  let rounded = withSign((a + limit) - limit, of: x)
  return nnp_select(nnp_less(a, limit), rounded, x)
}

/// The largest integer ≤ x.
@inlinable @inline(__always)
func roundedDown(_ x: Vector) -> Vector {
  let rounded = roundedToEven(x)
  return nnp_select(nnp_less(x, rounded), rounded - nnp_splat(1), rounded)
}

/// The smallest integer ≥ x; −0 for −1 < x < 0.
@inlinable @inline(__always)
func roundedUp(_ x: Vector) -> Vector {
  let rounded = roundedToEven(x)
  let up = nnp_select(nnp_less(rounded, x), rounded + nnp_splat(1), rounded)
  return withSign(magnitude(up), of: x)
}
