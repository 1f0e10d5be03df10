extension Example {
  /// All examples, by family.
  public static let all: [Example] = [
    .digitsMLP,
    .digitsCNN,
  ]
}
