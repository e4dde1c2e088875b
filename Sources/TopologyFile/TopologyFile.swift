// TopologyFile
