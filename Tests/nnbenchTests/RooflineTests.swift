import Testing

@testable import nnbench

/// 100 GFLOP/s; 200, 100 and 10 GB/s.
let machine = Machine(
  processor: "A", instructionSet: "v3", peak: 100,
  levels: [
    .init(name: "L1", capacity: 1000, gigabytesPerSecond: 200),
    .init(name: "L2", capacity: 100_000, gigabytesPerSecond: 100),
    .init(name: "memory", capacity: nil, gigabytesPerSecond: 10),
  ])

@Test func aWorkingSetIsHeldByTheFirstLevelItFits() {
  let names = [1, 1000, 1001, 100_000, 100_001, 1e12].map { machine.level(holding: $0).name }
  #expect(names == ["L1", "L1", "L2", "L2", "memory", "memory"])
}

@Test func theRoofIsTheLowerOfArithmeticAndMemory() {
  // A quarter, a half and ten operations per byte, in L1.
  for (flops, rate, bound) in [(250.0, 50.0, "L1"), (500, 100, "peak"), (10_000, 100, "peak")] {
    let roof = machine.roof(Work(flops: flops, bytes: 1000))
    #expect(roof == Roof(rate: rate, unit: .gigaflops, bound: bound))
  }
  #expect(machine.roof(Work(flops: 5000, bytes: 5000)).rate == 100)
  #expect(machine.roof(Work(flops: 1e6, bytes: 1e6)) == Roof(rate: 10, unit: .gigaflops, bound: "memory"))
}

@Test func withoutOperationsTheRoofIsTheBandwidth() {
  let roof = machine.roof(Work(bytes: 5000))
  #expect(roof == Roof(rate: 100, unit: .gigabytes, bound: "L2"))
}

@Test func theLevelFollowsFromTheWorkingSetAndTheIntensityFromTheBytes() {
  let roof = machine.roof(Work(flops: 25_000, bytes: 100_000, workingSet: 900))
  #expect(roof == Roof(rate: 50, unit: .gigaflops, bound: "L1"))
}

@Test func typesOfTwiceTheSizeHaveHalfThePeak() {
  var work = Work(flops: 1e6, bytes: 1000)
  work.peakShare = 0.5
  #expect(machine.roof(work).rate == 50)
}

@Test func aMeasurementIsSetAgainstItsRoof() {
  // 1e6 operations and 1e5 bytes in 20 µs.
  let benchmark = Benchmark(
    .matmul, "matmul", "1 x 1 x 1", Work(flops: 1e6, bytes: 1e5, elements: 1000)
  ) { _, _ in nil }
  let measured = Measurement(benchmark, seconds: 2e-5, machine)
  #expect(abs((measured.gigaflops ?? 0) - 50) < 1e-9 && abs(measured.gigabytesPerSecond - 5) < 1e-9)
  #expect(measured.intensity == 10 && abs((measured.nanosecondsPerElement ?? 0) - 20) < 1e-9)
  #expect(measured.roof == 100 && measured.bound == "peak" && abs(measured.share - 0.5) < 1e-9)
}

@Test func theBetterOfTwoMeasurementsOfTheMachineCounts() {
  var other = machine
  other.peak = 90
  other.levels[1].gigabytesPerSecond = 120
  let best = machine.best(other)
  #expect(best.peak == 100 && best.levels.map(\.gigabytesPerSecond) == [200, 120, 10])
}

@Test func cacheSizesAreReadAsTheSystemWritesThem() {
  #expect(["32K", "1024K", "8M", "512"].map(parseCacheSize) == [32 << 10, 1 << 20, 8 << 20, 512])
  #expect(
    ["", "K", "-1K", "0", "32 K", "1T", "99999999999999999999K"].map(parseCacheSize)
      == Array(repeating: nil, count: 7))
}
