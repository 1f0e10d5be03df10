import NNGraph

/// A plan with the input extents it was made for.
final class CachedPlan {
  let plan: Plan
  private let inputExtents: [[Int]]
  /// All outputs' extents one after the other, at an address that stays.
  private let extents: UnsafeMutableBufferPointer<Int>
  private let offsets: [Int]

  init(_ plan: Plan, _ inputs: [SessionInput]) {
    self.plan = plan
    inputExtents = inputs.map { $0.extents }
    var all: [Int] = []
    var offsets = [0]
    for type in plan.outputTypes {
      all += type.shape.extents ?? []
      offsets.append(all.count)
    }
    extents = UnsafeMutableBufferPointer<Int>.allocate(capacity: max(all.count, 1))
    for (position, extent) in all.enumerated() { extents[position] = extent }
    self.offsets = offsets
  }

  deinit { extents.deallocate() }

  func outputExtents(_ index: Int) -> UnsafeBufferPointer<Int> {
    UnsafeBufferPointer(rebasing: extents[offsets[index]..<offsets[index + 1]])
  }

  func fits(_ inputs: [SessionInput]) -> Bool {
    for index in inputs.indices where inputs[index].extents != inputExtents[index] { return false }
    return true
  }
}

/// The plans of the shapes a session saw last.
struct PlanCache {
  private static let capacity = 8
  /// Latest used last.
  private var plans: [CachedPlan] = []

  /// The plan for these inputs' extents, if it was made before.
  mutating func find(_ inputs: [SessionInput]) -> CachedPlan? {
    guard let latest = plans.last else { return nil }
    if latest.fits(inputs) { return latest }
    for position in plans.indices where plans[position].fits(inputs) {
      plans.swapAt(position, plans.count - 1)
      return plans[plans.count - 1]
    }
    return nil
  }

  mutating func insert(_ plan: CachedPlan) {
    if plans.count == PlanCache.capacity { plans.removeFirst() }
    plans.append(plan)
  }

  mutating func removeAll() { plans.removeAll() }
}
