import CPlatform
import NNGraph
import NNKernels
import NNKernelsBaseline

#if arch(x86_64)
  import NNKernelsX86V3
  import NNKernelsX86V4
#endif

/// Which instructions the kernels may use. All give the same bits; lower ones exist for old machines and for tests.
public enum InstructionSetLevel: UInt8, CaseIterable, Sendable {
  /// What the environment variable `NNRT_ISA` (`baseline`, `v3`, `v4`) says, else the best this machine can run.
  case automatic = 0
  /// What every processor of the architecture can run: SSE2 on x86-64, NEON on AArch64.
  case baseline = 1
  /// x86-64-v3: AVX2 and FMA.
  case v3 = 2
  /// x86-64-v4: AVX-512.
  case v4 = 3

  /// The name `NNRT_ISA` takes.
  public var name: StaticString {
    switch self {
    case .automatic: "automatic"
    case .baseline: "baseline"
    case .v3: "v3"
    case .v4: "v4"
    }
  }

  /// Whether this machine can run it.
  public var isAvailable: Bool {
    switch self {
    case .automatic, .baseline: true
    case .v3: nnp_cpu_has_x86_v3() != 0
    case .v4: nnp_cpu_has_x86_v4() != 0
    }
  }

  /// The level that `automatic` stands for here and now; any other level stands for itself.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if `NNRT_ISA` holds no known name.
  public func resolved() throws(NNError) -> InstructionSetLevel {
    guard self == .automatic else { return self }
    if let setting = nnp_environment("NNRT_ISA"), setting.pointee != 0 {
      for level in [InstructionSetLevel.baseline, .v3, .v4] where level.isNamed(setting) { return level }
      throw NNError(
        .invalidArgument, "NNRT_ISA is \"\(String(cString: setting))\"; it may be baseline, v3 or v4")
    }
    if InstructionSetLevel.v4.isAvailable { return .v4 }
    if InstructionSetLevel.v3.isAvailable { return .v3 }
    return .baseline
  }

  private func isNamed(_ text: UnsafePointer<CChar>) -> Bool {
    strcmp(text, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
  }

  /// The kernels of this level.
  ///
  /// - Throws: ``ErrorCode/invalidArgument`` if this machine cannot run it.
  func kernels() throws(NNError) -> KernelTable {
    let level = try resolved()
    guard level.isAvailable else {
      throw NNError(.invalidArgument, "this processor cannot run instruction set \(level.name)")
    }
    switch level {
    #if arch(x86_64)
      case .v3: return X86V3.kernels
      case .v4: return X86V3.kernels.replacing(X86V4.kernels)
    #else
      case .v3, .v4: return Baseline.kernels
    #endif
    case .automatic, .baseline: return Baseline.kernels
    }
  }
}
