import CPlatform

/// Elements 0, 2, 4 … of the 32 in two vectors.
@inlinable @inline(__always)
func evenLanes(_ a: Vector, _ b: Vector) -> Vector { nnp_from_bits(nnp_even(nnp_bits(a), nnp_bits(b))) }

/// Elements 1, 3, 5 … of the 32 in two vectors.
@inlinable @inline(__always)
func oddLanes(_ a: Vector, _ b: Vector) -> Vector { nnp_from_bits(nnp_odd(nnp_bits(a), nnp_bits(b))) }
