// Screens; see the other files, which are empty where there is no SwiftUI.
