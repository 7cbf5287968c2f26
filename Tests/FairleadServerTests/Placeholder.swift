import FairleadServer
import Testing
