// TLibrary
