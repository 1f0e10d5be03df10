/// How far a float is from the exact result, in units in the last place of the float nearest to it.
///
/// Two NaNs agree, and so do two equal infinities; a NaN or an infinity on one side only is infinitely far. An exact result that
/// rounds to infinity asks for that infinity or the largest finite number's neighbourhood.
public func ulpDistance(_ actual: Float, _ exact: Double) -> Double {
  if actual.isNaN || exact.isNaN { return actual.isNaN && exact.isNaN ? 0 : .infinity }
  let nearest = Float(exact)
  if actual == nearest { return 0 }
  guard actual.isFinite, exact.isFinite else { return .infinity }
  let reference = nearest.isFinite ? nearest : Float.greatestFiniteMagnitude
  return abs(Double(actual) - exact) / Double(reference.ulp)
}
