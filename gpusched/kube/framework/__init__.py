"""The scheduling framework: extension points, their answers, and who calls them in which order.

Source: kubernetes/kubernetes pkg/scheduler/framework, v1.36.1.
"""
