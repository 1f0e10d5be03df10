import CPlatform

/// A tile of Winograd's minimal filtering for windows of r x r: m x m outputs from n x n inputs, n = m + r - 1, with n² products instead
/// of r² m² (Winograd 1980; Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural Networks").
///
/// y = Aᵀ[(G w Gᵀ) ⊙ (Bᵀ x B)]A; over channels, each of the n² positions of a tile (its *frequencies*) is a matrix product.
/// The matrices belong to the points 0, ±1, ∞ of ``two``, 0, ±5/8, ±3/2, ∞ of ``four`` and ±5/16, ±7/8, ±7/4, ∞ of ``five`` and ``wide``:
/// squares, cubes and their products are exact, and their errors are far below those of the usual 0, ±1, ±2, … (compare Barabasz et al.
/// 2020, "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks").
///
/// Largest errors for inputs and weights of normal random numbers, as a share of the outputs' standard deviation (a test holds them):
/// with 32 and with 256 channels 1.5e-6 and 3e-6 for ``two``, 6e-6 and 1.5e-5 for ``four``, 2e-5 and 3e-5 for ``five``; the plain sum of
/// products has 3e-6 and 7e-6. For ``wide`` with windows of 7 x 7 that move two pixels at a time over 3 to 16 channels 1.5e-5.
public enum WinogradTile: Sendable {
  /// F(2x2, 3x3).
  case two
  /// F(4x4, 3x3).
  case four
  /// F(5x5, 3x3). It has no transforms of gradients.
  case five
  /// F(4x4, 4x4), for the phases of windows that move two pixels at a time. It has no transforms of gradients.
  case wide

  /// m: rows and columns of outputs.
  @inlinable public var outputs: Int { self == .two ? 2 : self == .five ? 5 : 4 }
  /// r: rows and columns of taps.
  @inlinable public var taps: Int { self == .wide ? 4 : 3 }
  /// n: rows and columns of inputs.
  @inlinable public var inputs: Int {
    switch self {
    case .two: 4
    case .four: 6
    case .five, .wide: 7
    }
  }
  /// n².
  @inlinable public var frequencies: Int { inputs &* inputs }

  /// Tiles that cover an output of this height and width.
  @inlinable public func count(_ height: Int, _ width: Int) -> Int {
    (height &+ outputs &- 1) / outputs &* ((width &+ outputs &- 1) / outputs)
  }

  // The points of `four`, their powers, and the factors of G's rows: 1/Π(p − q) over the other finite points q.
  @inlinable static var a: Float { 0.625 }
  @inlinable static var a2: Float { 0.390625 }
  @inlinable static var a3: Float { 0.244140625 }
  @inlinable static var b: Float { 1.5 }
  @inlinable static var b2: Float { 2.25 }
  @inlinable static var b3: Float { 3.375 }
  @inlinable static var factor0: Float { 1 / (a2 * b2) }
  @inlinable static var factorA: Float { 1 / (2 * a2 * (a2 - b2)) }
  @inlinable static var factorB: Float { 1 / (2 * b2 * (b2 - a2)) }
}

// One dimension of each transform: `load(i)` gives element i of a column, `store(i, v)` takes element i of the result. All elements
// are loaded before any is stored. Sums are taken in the order written here, on every instruction set. Those of `five` and `wide` stand in a
// file of their own.
extension WinogradTile {
  /// Bᵀ x: n inputs to n frequencies.
  @inlinable @inline(__always)
  func transformInput<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    let (d0, d1, d2, d3): (Vector, Vector, Vector, Vector) = (load(0), load(1), load(2), load(3))
    if self == .two {
      store(0, d0 - d2)
      store(1, d1 + d2)
      store(2, d2 - d1)
      store(3, d1 - d3)
      return
    }
    let (d4, d5): (Vector, Vector) = (load(4), load(5))
    let sum = nnp_splat(-(Self.a2 + Self.b2))
    let product = nnp_splat(Self.a2 * Self.b2)
    let evenA: Vector = I.fma(nnp_splat(-Self.b2), d2, d4)
    let oddA: Vector = I.fma(nnp_splat(-Self.b2), d1, d3)
    let evenB: Vector = I.fma(nnp_splat(-Self.a2), d2, d4)
    let oddB: Vector = I.fma(nnp_splat(-Self.a2), d1, d3)
    store(0, I.fma(product, d0, I.fma(sum, d2, d4)))
    store(1, I.fma(nnp_splat(Self.a), oddA, evenA))
    store(2, I.fma(nnp_splat(-Self.a), oddA, evenA))
    store(3, I.fma(nnp_splat(Self.b), oddB, evenB))
    store(4, I.fma(nnp_splat(-Self.b), oddB, evenB))
    store(5, I.fma(product, d1, I.fma(sum, d3, d5)))
  }

  /// Aᵀ p: n frequencies to m outputs.
  @inlinable @inline(__always)
  func transformOutput<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    let (p0, p1, p2, p3): (Vector, Vector, Vector, Vector) = (load(0), load(1), load(2), load(3))
    let (sumA, differenceA): (Vector, Vector) = (p1 + p2, p1 - p2)
    if self == .two {
      store(0, p0 + sumA)
      store(1, differenceA - p3)
      return
    }
    let (p4, p5): (Vector, Vector) = (load(4), load(5))
    let (sumB, differenceB): (Vector, Vector) = (p3 + p4, p3 - p4)
    store(0, p0 + (sumA + sumB))
    store(1, I.fma(nnp_splat(Self.b), differenceB, nnp_splat(Self.a) * differenceA))
    store(2, I.fma(nnp_splat(Self.b2), sumB, nnp_splat(Self.a2) * sumA))
    store(3, I.fma(nnp_splat(Self.b3), differenceB, I.fma(nnp_splat(Self.a3), differenceA, p5)))
  }

  /// G w: r weights to n frequencies.
  @inlinable @inline(__always)
  func transformWeights<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    if inputs == 7 { return transformSevenWeights(I.self, load, store) }
    let (w0, w1, w2): (Vector, Vector, Vector) = (load(0), load(1), load(2))
    if self == .two {
      let half = nnp_splat(0.5)
      let (even, odd): (Vector, Vector) = ((w0 + w2) * half, w1 * half)
      store(0, w0)
      store(1, even + odd)
      store(2, even - odd)
      store(3, w2)
      return
    }
    let evenA: Vector = I.fma(nnp_splat(Self.a2), w2, w0) * nnp_splat(Self.factorA)
    let oddA: Vector = w1 * nnp_splat(Self.a * Self.factorA)
    let evenB: Vector = I.fma(nnp_splat(Self.b2), w2, w0) * nnp_splat(Self.factorB)
    let oddB: Vector = w1 * nnp_splat(Self.b * Self.factorB)
    store(0, w0 * nnp_splat(Self.factor0))
    store(1, evenA + oddA)
    store(2, evenA - oddA)
    store(3, evenB + oddB)
    store(4, evenB - oddB)
    store(5, w2)
  }

  /// A dy: the adjoint of ``transformOutput(_:_:_:)``, m outputs to n frequencies.
  @inlinable @inline(__always)
  func transformOutputGradient<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    let (y0, y1): (Vector, Vector) = (load(0), load(1))
    if self == .two {
      store(0, y0)
      store(1, y0 + y1)
      store(2, y0 - y1)
      store(3, -y1)
      return
    }
    let (y2, y3): (Vector, Vector) = (load(2), load(3))
    let evenA: Vector = I.fma(nnp_splat(Self.a2), y2, y0)
    let oddA: Vector = I.fma(nnp_splat(Self.a3), y3, nnp_splat(Self.a) * y1)
    let evenB: Vector = I.fma(nnp_splat(Self.b2), y2, y0)
    let oddB: Vector = I.fma(nnp_splat(Self.b3), y3, nnp_splat(Self.b) * y1)
    store(0, y0)
    store(1, evenA + oddA)
    store(2, evenA - oddA)
    store(3, evenB + oddB)
    store(4, evenB - oddB)
    store(5, y3)
  }

  /// Gᵀ s: the adjoint of ``transformWeights(_:_:_:)``, n frequencies to 3 weights.
  @inlinable @inline(__always)
  func transformWeightGradient<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    let (s0, s1, s2, s3): (Vector, Vector, Vector, Vector) = (load(0), load(1), load(2), load(3))
    if self == .two {
      let half = nnp_splat(0.5)
      let even: Vector = (s1 + s2) * half
      store(0, s0 + even)
      store(1, (s1 - s2) * half)
      store(2, even + s3)
      return
    }
    let (s4, s5): (Vector, Vector) = (load(4), load(5))
    let evenA: Vector = (s1 + s2) * nnp_splat(Self.factorA)
    let evenB: Vector = (s3 + s4) * nnp_splat(Self.factorB)
    let oddA: Vector = (s1 - s2) * nnp_splat(Self.a * Self.factorA)
    let oddB: Vector = (s3 - s4) * nnp_splat(Self.b * Self.factorB)
    store(0, I.fma(nnp_splat(Self.factor0), s0, evenA + evenB))
    store(1, oddA + oddB)
    store(2, I.fma(nnp_splat(Self.b2), evenB, I.fma(nnp_splat(Self.a2), evenA, s5)))
  }
}
