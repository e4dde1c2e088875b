// TLibraryPorts
