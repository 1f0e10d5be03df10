import CPlatform

// One dimension of each transform of `WinogradTile.five` and `.wide`, which have the same seven frequencies. The first is for one point, the
// second for the opposite one, and so on; the last is for ∞. From memory to memory, by functions that are called; vectors are `step` and
// `toStep` elements apart.

extension WinogradTile {
  // The points, their powers, and the factors of G's rows: 1/Π(p − q) over the other finite points q, less its sign for the opposite point.
  @inlinable static var p: Float { 0.3125 }
  @inlinable static var p2: Float { p * p }
  @inlinable static var q: Float { 0.875 }
  @inlinable static var q2: Float { q * q }
  @inlinable static var r: Float { 1.75 }
  @inlinable static var r2: Float { r * r }
  @inlinable static var factorP: Float { 1 / (2 * p * (p2 - q2) * (p2 - r2)) }
  @inlinable static var factorQ: Float { 1 / (2 * q * (q2 - p2) * (q2 - r2)) }
  @inlinable static var factorR: Float { 1 / (2 * r * (r2 - p2) * (r2 - q2)) }

  /// Bᵀ x.
  @inlinable @inline(never)
  static func sevenInputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _: I.Type
  ) {
    let (d0, d1, d2): (Vector, Vector, Vector) = (
      nnp_load(from), nnp_load(from + step), nnp_load(from + 2 &* step)
    )
    let (d3, d4, d5): (Vector, Vector, Vector) = (
      nnp_load(from + 3 &* step), nnp_load(from + 4 &* step), nnp_load(from + 5 &* step)
    )
    /// The frequencies of a pair of points, given the sum and the product of the other points' squares.
    @inline(__always) func pair(_ point: Float, _ sum: Float, _ product: Float, _ place: Int) {
      let even: Vector = I.fma(nnp_splat(product), d0, I.fma(nnp_splat(-sum), d2, d4))
      let odd: Vector = I.fma(nnp_splat(product), d1, I.fma(nnp_splat(-sum), d3, d5))
      nnp_store(to + place &* toStep, I.fma(nnp_splat(point), even, odd))
      nnp_store(to + (place &+ 1) &* toStep, I.fma(nnp_splat(-point), even, odd))
    }
    let d6: Vector = nnp_load(from + 6 &* step)
    pair(p, q2 + r2, q2 * r2, 0)
    pair(q, p2 + r2, p2 * r2, 2)
    pair(r, p2 + q2, p2 * q2, 4)
    let last: Vector = I.fma(nnp_splat(-(p2 + q2 + r2)), d4, d6)
    let middle: Vector = I.fma(nnp_splat(p2 * q2 + p2 * r2 + q2 * r2), d2, last)
    nnp_store(to + 6 &* toStep, I.fma(nnp_splat(-(p2 * q2 * r2)), d0, middle))
  }

  /// Aᵀ m.
  @inlinable @inline(never)
  func sevenOutputLine<I: InstructionSet>(
    _ from: UnsafePointer<Float>, _ step: Int, _ to: UnsafeMutablePointer<Float>, _ toStep: Int, _: I.Type
  ) {
    let (m0, m1): (Vector, Vector) = (nnp_load(from), nnp_load(from + step))
    let (m2, m3): (Vector, Vector) = (nnp_load(from + 2 &* step), nnp_load(from + 3 &* step))
    let (m4, m5): (Vector, Vector) = (nnp_load(from + 4 &* step), nnp_load(from + 5 &* step))
    let m6: Vector = nnp_load(from + 6 &* step)
    let (sumP, sumQ, sumR): (Vector, Vector, Vector) = (m0 + m1, m2 + m3, m4 + m5)
    let (differenceP, differenceQ, differenceR): (Vector, Vector, Vector) = (m0 - m1, m2 - m3, m4 - m5)
    /// The output of a power of the points.
    @inline(__always) func output(
      _ p: Float, _ q: Float, _ r: Float, _ mP: Vector, _ mQ: Vector, _ mR: Vector, _ rest: Vector
    ) -> Vector {
      I.fma(nnp_splat(r), mR, I.fma(nnp_splat(q), mQ, I.fma(nnp_splat(p), mP, rest)))
    }
    let (p, q, r, p2, q2, r2) = (Self.p, Self.q, Self.r, Self.p2, Self.q2, Self.r2)
    let none = nnp_splat(0)
    nnp_store(to, sumP + sumQ + sumR)
    nnp_store(to + toStep, output(p, q, r, differenceP, differenceQ, differenceR, none))
    nnp_store(to + 2 &* toStep, output(p2, q2, r2, sumP, sumQ, sumR, none))
    let isFive = self == .five
    let third: Vector = output(
      p2 * p, q2 * q, r2 * r, differenceP, differenceQ, differenceR, isFive ? none : m6)
    nnp_store(to + 3 &* toStep, third)
    if isFive { nnp_store(to + 4 &* toStep, output(p2 * p2, q2 * q2, r2 * r2, sumP, sumQ, sumR, m6)) }
  }

  /// G w.
  @inlinable @inline(__always)
  func transformSevenWeights<I: InstructionSet>(
    _: I.Type, _ load: (Int) -> Vector, _ store: (Int, Vector) -> Void
  ) {
    let (w0, w1, w2): (Vector, Vector, Vector) = (load(0), load(1), load(2))
    let w3: Vector = taps == 4 ? load(3) : nnp_splat(0)
    @inline(__always) func pair(_ point: Float, _ square: Float, _ factor: Float, _ place: Int) {
      let even: Vector = I.fma(nnp_splat(square), w2, w0) * nnp_splat(factor)
      let odd: Vector = I.fma(nnp_splat(square), w3, w1) * nnp_splat(point * factor)
      store(place, even + odd)
      store(place &+ 1, odd - even)
    }
    pair(Self.p, Self.p2, Self.factorP, 0)
    pair(Self.q, Self.q2, Self.factorQ, 2)
    pair(Self.r, Self.r2, Self.factorR, 4)
    store(6, taps == 4 ? w3 : w2)
  }
}
