import NNGraph
import NNRuntime
import Testing

@testable import NNRT

// The C enums repeat numbers that are defined elsewhere: Swift cannot make one enum of both.

@Test func statusesHaveTheNumbersOfErrorCodes() {
  for code in ErrorCode.allCases {
    #expect(nnrt_status(code).rawValue == code.rawValue)
  }
  #expect(nnrt_status.allCases.count == ErrorCode.allCases.count + 1)
  #expect(nnrt_status.ok.rawValue == 0)
}

@Test func elementTypesHaveTheNumbersOfTheFormat() {
  #expect(nnrt_dtype.allCases.map { $0.rawValue } == DType.allCases.map { Int32($0.rawValue) })
  for dtype in DType.allCases {
    #expect(String(cString: nnrt_dtype_name(dtype.code)) == "\(dtype.name)")
    #expect(nnrt_dtype_size(dtype.code) == dtype.size)
  }
}

@Test func instructionSetsHaveTheNumbersOfTheRuntime() {
  #expect(
    nnrt_instruction_set.allCases.map { $0.rawValue }
      == InstructionSetLevel.allCases.map { Int32($0.rawValue) })
}
