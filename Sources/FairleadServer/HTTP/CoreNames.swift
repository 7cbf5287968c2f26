import Fairlead

// Hummingbird has types of these names too; inside this module the plain names are Fairlead's.
typealias RequestID = Identifier<RequestKind>
typealias CallBody = RequestBody
