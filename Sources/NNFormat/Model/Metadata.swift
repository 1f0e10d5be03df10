import NNGraph

/// Free texts about a model, in the order in which they were added.
///
/// The keys below have a settled meaning; any other key may be used for anything.
public struct Metadata: Sendable {
  /// Keys are unique and not empty.
  public private(set) var entries: [(key: Name, value: Name)]

  public init() {
    entries = []
  }

  public subscript(key: Name) -> Name? {
    get {
      for entry in entries where entry.key == key { return entry.value }
      return nil
    }
    set {
      for index in entries.indices where entries[index].key == key {
        if let newValue {
          entries[index].value = newValue
        } else {
          entries.remove(at: index)
        }
        return
      }
      if let newValue { entries.append((key, newValue)) }
    }
  }

  /// Adds an entry whose key the caller knows to be new; the look-up of ``subscript(_:)`` would make long lists quadratic.
  mutating func appendUnchecked(_ key: Name, _ value: Name) {
    entries.append((key, value))
  }
}

extension Metadata {
  /// The model's name.
  public static var nameKey: Name { "name" }
  /// What the model does, for people.
  public static var descriptionKey: Name { "description" }
  /// Who made the model, one a line.
  public static var authorsKey: Name { "authors" }
  /// The licence of the weights, as an SPDX expression where there is one.
  public static var licenceKey: Name { "licence" }
  /// The names of the classes in the order of the outputs, one a line.
  public static var labelsKey: Name { "labels" }
  /// The version of the model.
  public static var versionKey: Name { "version" }
  /// What wrote the file.
  public static var producerKey: Name { "producer" }

  /// The key of the text that says what an input holds: layout, units, normalisation.
  public static func inputDescriptionKey(_ input: Name) -> Name {
    Name(utf8: ("input." as Name).utf8 + input.utf8)
  }

  /// The key of the text that says what an output holds.
  public static func outputDescriptionKey(_ output: Name) -> Name {
    Name(utf8: ("output." as Name).utf8 + output.utf8)
  }

  public var name: Name? {
    get { self[Metadata.nameKey] }
    set { self[Metadata.nameKey] = newValue }
  }

  public var description: Name? {
    get { self[Metadata.descriptionKey] }
    set { self[Metadata.descriptionKey] = newValue }
  }

  public var authors: Name? {
    get { self[Metadata.authorsKey] }
    set { self[Metadata.authorsKey] = newValue }
  }

  public var licence: Name? {
    get { self[Metadata.licenceKey] }
    set { self[Metadata.licenceKey] = newValue }
  }

  public var version: Name? {
    get { self[Metadata.versionKey] }
    set { self[Metadata.versionKey] = newValue }
  }

  /// The names of the classes; empty if there are none. A label cannot hold a newline.
  public var labels: [Name] {
    get {
      guard let text = self[Metadata.labelsKey], !text.isEmpty else { return [] }
      var labels: [Name] = []
      var line: [UInt8] = []
      for byte in text.utf8 {
        if byte == 0x0A {
          labels.append(Name(utf8: line))
          line = []
        } else {
          line.append(byte)
        }
      }
      labels.append(Name(utf8: line))
      return labels
    }
    set {
      var text: [UInt8] = []
      for (index, label) in newValue.enumerated() {
        if index > 0 { text.append(0x0A) }
        text += label.utf8
      }
      self[Metadata.labelsKey] = newValue.isEmpty ? nil : Name(utf8: text)
    }
  }

  public func inputDescription(_ input: Name) -> Name? { self[Metadata.inputDescriptionKey(input)] }

  public mutating func setInputDescription(_ input: Name, _ text: Name?) {
    self[Metadata.inputDescriptionKey(input)] = text
  }
}
