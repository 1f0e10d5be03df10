import FuzzSupport

// A mutator that knows what an ONNX model is made of: it exchanges operators, attributes, names, types, shapes, constants and
// whole bodies, within a model and between models, and puts numbers where they hurt.

@c(LLVMFuzzerCustomMutator)
public func customMutator(
  _ data: UnsafeMutablePointer<UInt8>, _ size: Int, _ maximum: Int, _ seed: UInt32
) -> Int {
  var random = Random(seed: seed)
  let input = Array(UnsafeBufferPointer(start: data, count: size))
  guard random.below(32) != 0, let model = Message(.model, input[...]) else {
    return libFuzzerMutate(data, size, maximum)
  }
  var mutation = Mutation(model, random)
  for _ in 0..<(1 << random.below(4)) { mutation.step() }
  let output = model.bytes
  guard output.count <= maximum else { return libFuzzerMutate(data, size, maximum) }
  for (index, byte) in output.enumerated() { data[index] = byte }
  return output.count
}

/// Messages of earlier inputs, some of each kind.
nonisolated(unsafe) private var remembered: [Kind: [Message]] = [:]

private struct Mutation {
  let messages: [Message]
  /// Every name in the model.
  private let names: [[UInt8]]
  private var random: Random

  init(_ model: Message, _ random: Random) {
    messages = model.all
    self.random = random
    names = messages.flatMap { $0.names } + [[]]
    for message in messages where [.node, .attribute, .tensor, .valueInfo, .graph].contains(message.kind) {
      let others = remembered[message.kind, default: []]
      if others.count < 256 {
        remembered[message.kind, default: []].append(message.copy)
      } else if self.random.below(64) == 0 {
        remembered[message.kind]?[self.random.below(256)] = message.copy
      }
    }
  }

  mutating func step() {
    let message = random.pick(messages)
    guard !message.fields.isEmpty else {
      addMessage(to: message)
      return
    }
    let index = random.below(message.fields.count)
    switch random.below(20) {
    case 0: message.fields.remove(at: index)
    case 1: message.fields.insert(message.fields[index].copy, at: random.below(message.fields.count))
    case 2: message.fields.swapAt(index, random.below(message.fields.count))
    case 3, 4: addMessage(to: message)
    case 5...9: exchange(message, index)
    default: change(message, index)
    }
  }

  /// Another one of the same kind, from this model or an earlier one, in a field's place.
  private mutating func exchange(_ message: Message, _ index: Int) {
    let number = message.fields[index].number
    guard case .message(let content) = message.fields[index].value else {
      // The same field of another message of this kind, as an operator's name.
      let pool = messages + remembered[message.kind, default: []]
      let twins = pool.filter { $0.kind == message.kind }.flatMap { $0.fields.filter { $0.number == number } }
      // A copy: the twin may hold a message, and even this one.
      if !twins.isEmpty { message.fields[index] = random.pick(twins).copy }
      return
    }
    if let other = another(content.kind) { message.fields[index].value = .message(other) }
  }

  private mutating func another(_ kind: Kind) -> Message? {
    let here = messages.filter { $0.kind == kind }
    let earlier = remembered[kind, default: []]
    let isFromHere = earlier.isEmpty || random.below(2) == 0
    let pool = isFromHere ? here : earlier
    guard !pool.isEmpty else { return nil }
    let chosen = random.pick(pool).copy
    if !isFromHere { rename(chosen) }
    return chosen
  }

  /// What comes from another model reads names of this one.
  private mutating func rename(_ message: Message) {
    for part in message.all where part.kind == .node {
      for index in part.fields.indices where part.fields[index].number == 1 && random.below(4) != 0 {
        part.fields[index].value = .bytes(random.pick(names))
      }
    }
  }

  private mutating func addMessage(to message: Message) {
    let choices: [(Int, Kind)] =
      switch message.kind {
      case .graph: [(1, .node), (1, .node), (5, .tensor), (11, .valueInfo), (12, .valueInfo)]
      case .node: [(5, .attribute)]
      case .attribute: [(5, .tensor), (6, .graph)]
      default: []
      }
    guard !choices.isEmpty else { return }
    let (number, kind) = random.pick(choices)
    guard let added = another(kind) else { return }
    let place = random.below(message.fields.count + 1)
    message.fields.insert(Field(number: number, value: .message(added)), at: place)
  }

  private mutating func change(_ message: Message, _ index: Int) {
    switch message.fields[index].value {
    case .message: exchange(message, index)
    case .number(let value): message.fields[index].value = .number(changed(value, message.kind))
    case .fixed(let bytes): message.fields[index].value = .fixed(number(of: bytes.count))
    case .bytes(let bytes):
      let isName = message.isName(message.fields[index].number)
      if isName, random.below(4) != 0 {
        message.fields[index].value = .bytes(random.pick(names))
      } else {
        message.fields[index].value = .bytes(changed(bytes))
      }
    }
  }

  private mutating func changed(_ value: UInt64, _ kind: Kind) -> UInt64 {
    switch random.below(8) {
    case 0: value &+ 1
    case 1: value &- 1
    case 2, 3: UInt64(bitPattern: hurtful())
    case 4: 0 &- value
    default: UInt64(random.below(kind == .tensor || kind == .tensorType ? 30 : 10))
    }
  }

  private mutating func hurtful() -> Int64 { random.pick(hurtfulNumbers) }

  private mutating func number(of count: Int) -> [UInt8] {
    count == 4
      ? little(UInt64(random.pick(hurtfulFloats).bitPattern), 4)
      : little(Double(random.pick(hurtfulFloats)).bitPattern, 8)
  }

  private mutating func changed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    switch random.below(4) {
    case 0 where bytes.count >= 8:
      let place = random.below(bytes.count / 8) * 8
      bytes.replaceSubrange(place..<place + 8, with: little(UInt64(bitPattern: hurtful()), 8))
    case 1 where bytes.count >= 4:
      let place = random.below(bytes.count / 4) * 4
      bytes.replaceSubrange(place..<place + 4, with: number(of: 4))
    default:
      let size = bytes.count
      bytes += [UInt8](repeating: 0, count: 16)
      let changed = bytes.withUnsafeMutableBufferPointer {
        libFuzzerMutate($0.baseAddress!, size, $0.count)
      }
      bytes.removeSubrange(changed...)
    }
    return bytes
  }
}

/// Ends of ranges, and what sizes overflow with.
private let hurtfulNumbers: [Int64] = {
  let powers: [Int64] = [8, 12, 16, 20, 24, 31, 32, 40, 47, 48, 60, 62].map { 1 << $0 }
  return [0, 1, -1, -2, 2, .max, .min] + powers + powers.map { $0 - 1 } + powers.map { -$0 }
}()

private let hurtfulFloats: [Float] = [
  0, 1, -1, 0.5, 2, 1e-30, 1e30, .infinity, -.infinity, .nan, 4096, 16_777_216, -7, 1e9, 1e18, -1e19,
]

private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
}

extension Message {
  /// Whether a field names values of a graph.
  func isName(_ field: Int) -> Bool {
    switch (kind, field) {
    case (.node, 1), (.node, 2), (.valueInfo, 1), (.tensor, 8), (.function, 4), (.function, 5): true
    default: false
    }
  }

  var names: [[UInt8]] {
    fields.compactMap { field in
      if case .bytes(let bytes) = field.value, isName(field.number) { return bytes }
      return nil
    }
  }
}
