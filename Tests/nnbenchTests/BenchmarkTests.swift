import CPlatform
import NNKernels
import NNKernelsBaseline
import NNKernelsX86V3
import NNKernelsX86V4
import Testing

@testable import nnbench

@Test func everyGroupHasKernelsAndNoNameIsGivenTwice() {
  let all = Benchmark.all
  for group in Benchmark.Group.allCases { #expect(all.contains { $0.group == group }, "\(group)") }
  let names = all.map { "\($0.group) \($0.name)" }
  #expect(Dictionary(grouping: names) { $0 }.filter { $1.count > 1 }.keys.sorted() == [])
}

@Test func everyKernelMovesBytesThatFitItsMemory() {
  for benchmark in Benchmark.all {
    let work = benchmark.work
    #expect(work.bytes > 0 && work.workingSet > 0 && work.workingSet <= work.bytes, "\(benchmark.name)")
    #expect((work.flops ?? 1) > 0 && (work.elements ?? 1) > 0, "\(benchmark.name)")
  }
}

@Test func selectionTakesGroupsAndTexts() {
  let some = Benchmark.selected(groups: [.convolution, .matmul], filters: ["3x3/2", "512 X 512 x 512"])
  #expect(
    !some.isEmpty && some.allSatisfy { $0.name.contains("3x3/2") || $0.name == "matmul 512 x 512 x 512" })
  #expect(Set(some.map(\.group)) == [.convolution, .matmul])
  #expect(Benchmark.selected(groups: [], filters: ["no such kernel"]).isEmpty)
}

/// Those that work on little memory, with every instruction set of this machine.
@Test func kernelsRun() {
  var tables = [Baseline.kernels]
  #if arch(x86_64)
    if nnp_cpu_has_x86_v3() != 0 { tables.append(X86V3.kernels) }
    if nnp_cpu_has_x86_v4() != 0 { tables.append(X86V3.kernels.replacing(X86V4.kernels)) }
  #endif
  for benchmark in Benchmark.all
  where benchmark.work.workingSet < 1e6 && (benchmark.work.flops ?? 0) < 1e7 {
    let isThere = tables.map { table in
      let memory = Memory()
      return withExtendedLifetime(memory) {
        guard let body = benchmark.prepare(table, memory) else { return false }
        body()
        return true
      }
    }
    #expect(isThere.allSatisfy { $0 }, "\(benchmark.name)")
  }
}
