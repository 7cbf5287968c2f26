import FairleadSandbox
import Testing
